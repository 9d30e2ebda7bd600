// Numbers of an array, those of a coarse one in the unit of its values.
function numbers(array) {
  if (!array) return [];
  if (array.step === undefined) return array.data;
  const { data, low, step, missing } = array;
  return Float32Array.from(data, (code) => (code === missing ? NaN : low + step * code));
}

// Values at [first, :, last] of an array with three axes.
function slice(values, shape, first, last) {
  const [, length, width] = shape;
  return Array.from({ length }, (_, i) => values[(first * length + i) * width + last]);
}
