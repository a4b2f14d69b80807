#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/job_record.hpp"
#include "results/text/table.hpp"

namespace edgelab::results {

// What `results show` prints.
std::string shown_text(const RunRecord& run, const std::string& file_name, bool layers, const Look& look);

// What a reader of the accuracy should know, or empty: that it is no better than chance.
std::string accuracy_note(const JobRecord& job);

// Why the job failed or was skipped, or what a reader of its numbers should know: a line each.
std::vector<std::string> doubts_about(const JobRecord& job);

// A value or bound of an expectation in the unit that its text is about.
std::string expectation_value_text(const ExpectationRow& row, double number);

}  // namespace edgelab::results
