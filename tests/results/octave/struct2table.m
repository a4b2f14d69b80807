% A row for each element of the columns, which must be as long as one another.
function table_rows = struct2table(columns)
  names = fieldnames(columns);
  cells = cell(size(columns.(names{1}), 1), numel(names));
  for i = 1:numel(names)
    column = columns.(names{i});
    assert(~ischar(column) && isequal(size(column), [size(cells, 1), 1]), 'the columns of a table differ in length');
    if ~iscell(column)
      column = num2cell(column);
    end
    cells(:, i) = column;
  end
  table_rows = cell2struct(cells, names, 2);
end
