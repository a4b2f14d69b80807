#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "results/job_record.hpp"

// Records as JSON, walked by the schema: fields and parts keep their names, unknown optionals are absent. Whole forms give
// back an equal record: floats of arrays travel as base64 of their little-endian bytes (as a byte string in CBOR), numbers
// that JSON lacks as "nan", "inf", "-inf". Texts are cleaned to valid UTF-8.
namespace edgelab::results {

// One line, for the journal.
std::string to_json_text(const JobRecord& job);
// Throws Error (data) naming the member that is wrong.
JobRecord job_record_from_json_text(std::string_view text);

// Everything of a run but its jobs; with the name of its session, if there is one, as "session".
std::string frame_json_text(const RunRecord& run, const std::string& session = "");
RunRecord frame_from_json_text(std::string_view text);

std::string ids_json_text(const std::vector<std::string>& ids);
std::vector<std::string> ids_from_json_text(std::string_view text);

// CBOR (RFC 8949), for messages between ranks.
std::vector<std::uint8_t> to_bytes(const JobRecord& job);
JobRecord job_record_from_bytes(std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> host_to_bytes(const HostRecord& host);
HostRecord host_from_bytes(std::span<const std::uint8_t> bytes);

// What `results show --json` prints: jobs as an object by id in job order, without the big arrays, null for numbers that
// JSON lacks.
nlohmann::ordered_json shown_json(const RunRecord& run);
// All that the file holds, arrays as lists within lists; numbers that are not finite are null. What `results export` writes.
nlohmann::ordered_json exported_json(const RunRecord& run);

}  // namespace edgelab::results
