function table_rows = sortrows(table_rows, name, direction)
  [~, order] = sort(double([table_rows.(name)]), direction);
  table_rows = table_rows(order);
end
