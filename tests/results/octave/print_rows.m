% A table's rows, a line each.
function print_rows(table_rows)
  for i = 1:numel(table_rows)
    cells = cellfun(@(cell) num2str(cell, 12), struct2cell(table_rows(i)), 'UniformOutput', false);
    printf('%s\n', strjoin(cells', '  '));
  end
end
