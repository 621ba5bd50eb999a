// A MongoDB-speaking server for tests (mongo-java-server): in memory, on 127.0.0.1, until its standard input ends.
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

public class Main {
  // The wire version that the driver asks for (MongoDB 5.0); the server's own constants end below it.
  static class Version implements MongoVersion {
    public List<Integer> getVersionArray() { return List.of(5, 0, 0); }
    public int getWireVersion() { return 13; }
  }

  public static void main(String[] args) throws Exception {
    MemoryBackend backend = new MemoryBackend();
    backend.version(new Version());
    MongoServer server = new MongoServer(backend);
    server.bind("127.0.0.1", Integer.parseInt(args[0]));
    while (System.in.read() != -1) { }
    server.shutdownNow();
  }
}
