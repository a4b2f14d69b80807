% Reads a results file of edgelab with MATLAB's own functions: recipes('demo.h5')
% schema.md says what stands where. Arrays come transposed: latency is [call, repeat].
function jobs = recipes(file)
  info = h5info(file, '/jobs');
  jobs = table();
  for group = info.Groups'
    place = group.Name;
    row = table(string(h5readatt(file, place, 'id')), string(h5readatt(file, place, 'status')), ...
                number(file, [place '/summary'], 'top1'), number(file, [place '/summary'], 'latency_p50_ns') / 1e6, ...
                'VariableNames', {'job', 'status', 'top1', 'latency_p50_ms'});
    jobs = [jobs; row]; %#ok<AGROW>
    if any(strcmp({group.Datasets.Name}, 'latency'))
      latency = double(h5read(file, [place '/latency'])) / 1e6;
      figure; histogram(latency(:)); xlabel('latency, ms'); title(h5readatt(file, place, 'id'), 'Interpreter', 'none');
    end
    if any(strcmp({group.Datasets.Name}, 'layers'))
      layers = struct2table(columns(h5read(file, [place '/layers'])));
      disp(head(sortrows(layers, 'time_ns', 'descend'), 5));
    end
  end
  disp(jobs);
end

function table = columns(table)
  % Texts of a fixed length come as a matrix with a text in each column.
  for name = fieldnames(table)'
    if ischar(table.(name{1}))
      table.(name{1}) = deblank(cellstr(table.(name{1})'));
    end
  end
end

function value = number(file, place, name)
  % What could not be known is absent.
  try
    value = double(h5readatt(file, place, name));
  catch
    value = NaN;
  end
end
