% Runs results/recipes.m in Octave, with this folder's functions in place of MATLAB's: run_recipe(SOURCE, FILE)
function run_recipe(source, file)
  warning('off', 'Octave:shadowed-function');
  addpath(fullfile(source, 'results'));
  addpath(fullfile(source, 'tests', 'results', 'octave'));
  jobs = recipes(file);
  print_rows(jobs);
  assert(numel(jobs) == 4 && strcmp(jobs(1).job, 'serial'));
  assert(jobs(1).top1 == 0.9453125 && jobs(1).latency_p50_ms == 4.1);
  assert(isnan(jobs(3).top1) && strcmp(jobs(3).status, 'failed'));
end
