#pragma once

#include <string>
#include <vector>

#include "results/job_record.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// Judges one `expect` entry of `job`. `reference` is the record of the job it names, or null where it names none (or that
// job left none). What can't be judged because a measurement is missing is not met, and the note says what is missing.
results::ExpectationRow judge(const tasks::Expectation& expectation, const results::JobRecord& job, const results::JobRecord* reference);

// "expected top1_at_least: 0.9, got 0.874": one clause for each row that is not met, joined by "; ". Empty if all are met.
std::string failures_of(const std::vector<results::ExpectationRow>& rows);

// Ids of the jobs whose logits some expectation of `jobs` compares.
std::vector<std::string> jobs_whose_logits_matter(const std::vector<tasks::JobSpec>& jobs);

// Whether two ranks of this job shared a host, and with it the host's cores: adding ranks then adds no hardware, and a
// speed-up says nothing.
bool ranks_share_a_host(const results::JobRecord& record);

}  // namespace edgelab::batch
