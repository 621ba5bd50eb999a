// heic-decode brings no types of its own.
declare module "heic-decode" {
  interface HeicImage {
    width: number;
    height: number;
    /** Four bytes a pixel: red, green, blue, alpha. */
    decode(): Promise<{ width: number; height: number; data: Uint8ClampedArray<ArrayBuffer> }>;
  }
  const decodeHeic: { all(given: { buffer: Uint8Array }): Promise<HeicImage[] & { dispose(): void }> };
  // biome-ignore lint/style/noDefaultExport: it is what the package exports
  export default decodeHeic;
}
