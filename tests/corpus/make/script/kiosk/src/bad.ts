const n: number = "x";  // «badtop1»
console.log(n);
