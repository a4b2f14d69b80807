function info = h5info(file, group)
  info = hdf5_value('info', file, group);
end
