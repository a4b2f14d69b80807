#pragma once

#include <string>
#include <vector>

#include "batch/doctor/findings.hpp"
#include "batch/doctor/links.hpp"
#include "results/text/table.hpp"

namespace edgelab::batch::doctor {

// A part for each host and one for the cluster, a line for each finding and below it what to do, the links between a few
// hosts where they were measured, and a last line that says whether a run would come through. What hosts wrote is shown
// without control characters.
std::string report_text(const std::vector<Visit>& visits, const std::vector<Finding>& findings,
                        const results::Look& look, const MeasuredLinks* links = nullptr);

// {"schema":"edgelab-doctor/1","interfaces":[…],"hosts":[{"name",…,"facts":{…},"clock":{…}}],"findings":[…],
//  "links":[{"from","to","latency_ns","bandwidth_bytes_per_second"}]}; the last where they were measured.
std::string report_json(const std::vector<Visit>& visits, const std::vector<Finding>& findings,
                        const MeasuredLinks* links = nullptr);

}  // namespace edgelab::batch::doctor
