# A hook of schemathesis: the pieces of an upload are bytes.
import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
