% What hdf5_as_octave.py says of WHAT in FILE.
function value = hdf5_value(what, file, varargin)
  script = fullfile(fileparts(mfilename('fullpath')), 'hdf5_as_octave.py');
  words = sprintf(' ''%s''', what, file, varargin{:});
  [status, text] = system(['/usr/bin/python3 ''' script '''' words ' 2>/dev/null']);
  if status ~= 0
    error('%s: there is no %s', file, strjoin(varargin, ' '));
  end
  eval(text);
end
