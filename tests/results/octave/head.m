% Prints them too: Octave's `disp` shows of a column of structs no more than its size.
function table_rows = head(table_rows, count)
  table_rows = table_rows(1:min(count, numel(table_rows)));
  print_rows(table_rows);
end
