function xlabel(text)
  assert(ischar(text));
end
