function value = h5readatt(file, object, name)
  value = hdf5_value('attribute', file, object, name);
end
