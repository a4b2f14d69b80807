function title(text, name, value)
  assert(ischar(text) && strcmp(name, 'Interpreter') && strcmp(value, 'none'));
  printf('figure: %s\n', text);
end
