// Runs a program on a Ruby that is built for WASI and says what ends it as Ruby does: vm.js PACKAGES RUBY.wasm ROOT SCRIPT ARGUMENTS…
const { readFileSync } = require("fs");
const { WASI } = require("wasi");
const [packages, wasm, folder, script, ...args] = process.argv.slice(2);
const { RubyVM } = require(`${packages}/@ruby/wasm-wasi`);
const wasi = new WASI({ version: "preview1", args: [], preopens: { "/": folder }, env: {} });
const start = `
ARGV.replace(${JSON.stringify(args)})
$0 = ${JSON.stringify(script)}
begin
  load ${JSON.stringify(script)}
rescue Exception => e
  $stderr.write(e.full_message(highlight: false, order: :top))
end`;
RubyVM.instantiateModule({ module: new WebAssembly.Module(readFileSync(wasm)), wasip1: wasi })
  .then(({ vm }) => { vm.eval(start); process.exit(1); }, (error) => { console.error(error); process.exit(99); });
