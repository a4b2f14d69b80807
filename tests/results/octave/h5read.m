function value = h5read(file, dataset)
  value = hdf5_value('data', file, dataset);
end
