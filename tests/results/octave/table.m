% A table stands here as a column of structs, one a row; as table(a, b, 'VariableNames', {'a', 'b'}) it has one.
function rows = table(varargin)
  rows = [];
  if nargin > 0
    assert(strcmp(varargin{end - 1}, 'VariableNames') && numel(varargin{end}) == nargin - 2);
    rows = cell2struct(varargin(1:end - 2)', varargin{end}(:), 1);
  end
end
