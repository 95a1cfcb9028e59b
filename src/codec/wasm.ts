// Node's types of this age do not declare WebAssembly (only the DOM's do). This is the part that the decoders need.
export interface WasmInstance {
  readonly exports: object;
}

interface WasmNamespace {
  readonly Instance: new (module: object, imports: object) => WasmInstance;
  readonly RuntimeError: new (message?: string) => Error;
}

export const wasm = (globalThis as unknown as { readonly WebAssembly: WasmNamespace }).WebAssembly;
