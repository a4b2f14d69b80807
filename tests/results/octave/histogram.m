function histogram(values)
  assert(isvector(values) && isa(values, 'double'));
  printf('histogram of %d values, the least %g\n', numel(values), min(values));
end
