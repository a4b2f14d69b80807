# Reads a results file of edgelab with hdf5r:  Rscript recipes.R demo.h5
# schema.md says what stands where. h5 arrays come transposed: latency is [call, repeat].
library(hdf5r)

file <- H5File$new(commandArgs(trailingOnly = TRUE)[1], "r")

attributes_of <- function(group) sapply(names(h5attributes(group)), function(name) h5attr(group, name), simplify = FALSE)

# A row a job: what the summary knows of it.
columns <- c("top1", "latency_p50_ns", "latency_p99_ns", "throughput_samples_per_second")
jobs <- do.call(rbind, lapply(names(file[["jobs"]]), function(name) {
  summary <- attributes_of(file[["jobs"]][[name]][["summary"]])
  known <- lapply(columns, function(column) if (is.null(summary[[column]])) NA else as.numeric(summary[[column]]))
  data.frame(job = h5attr(file[["jobs"]][[name]], "id"), setNames(known, columns))
}))
print(jobs)

for (name in names(file[["jobs"]])) {
  job <- file[["jobs"]][[name]]
  if (!("latency" %in% names(job))) next
  latency <- as.numeric(job[["latency"]][, ])  # nanoseconds
  cat(h5attr(job, "id"), ":", quantile(latency, c(0.5, 0.9, 0.99), type = 7) / 1e6, "ms\n")
  layers <- job[["layers"]][]
  print(head(layers[order(-as.numeric(layers$time_ns)), c("name", "op", "effective_dtype", "time_ns")], 5))
}
file$close_all()
