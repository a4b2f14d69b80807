#include "batch/session.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::batch {
namespace {

using nlohmann::json;

std::string line_of(const json& body) { return body.dump(-1, ' ', false, json::error_handler_t::replace); }

json parse(const results::Fact& fact) { return json::parse(fact.body); }

void begin_session(SessionState& state, const std::string& id) {
  if (id == state.id) return;
  std::vector<AddedFact> added = std::move(state.added);
  state = {};
  state.id = id;
  state.added = std::move(added);
  state.added_before = state.added.size();
}

void begin_attempt(SessionState& state, const json& body) {
  StartFact fact{body.at("job"), body.at("attempt"), body.at("ranks"), body.at("hosts")};
  const std::string job = fact.job;
  for (const int rank : fact.ranks) state.last_job[rank] = job;
  state.running.insert_or_assign(job, std::move(fact));
}

void end_attempt(SessionState& state, const json& body) {
  const auto job = body.at("job").get<std::string>();
  state.running.erase(job);
  if (body.at("counts").get<bool>()) ++state.attempts[job];
}

void end_job(SessionState& state, const results::Fact& fact) {
  const results::JobRecord record = results::job_record_from_json_text(fact.body);
  // Interrupted, but by no person: it was at work when its run ended, and goes on in the next.
  if (record.status == results::Status::interrupted && !state.cancelled.contains(record.id)) return;
  state.running.erase(record.id);
  state.attempts.erase(record.id);
  state.ended.insert_or_assign(record.id, record.status);
}

void add(SessionState& state, const json& body) { state.added.push_back({body.at("name"), body.at("text")}); }

void drain(SessionState& state, const json& body) {
  const auto host = body.at("host").get<std::string>();
  if (body.at("drained").get<bool>()) {
    state.drained.insert(host);
  } else {
    state.drained.erase(host);
  }
}

void begin_run(SessionState& state, const json& header) {
  state.running.clear();
  state.last_job.clear();
  if (const auto session = header.find("session"); session != header.end()) begin_session(state, session->get<std::string>());
}

// "start" begins an attempt, "attempt" ends it, "job" ends the job; the last run alone has jobs at work.
void note(SessionState& state, const results::Fact& fact) {
  if (fact.type == "header") return begin_run(state, parse(fact));
  if (fact.type == "job") return end_job(state, fact);
  if (fact.type == "session") return begin_session(state, parse(fact).at("id").get<std::string>());
  if (fact.type == "start") return begin_attempt(state, parse(fact));
  if (fact.type == "attempt") return end_attempt(state, parse(fact));
  if (fact.type == "added") return add(state, parse(fact));
  if (fact.type == "cancelled") state.cancelled.insert(parse(fact).at("job").get<std::string>());
  if (fact.type == "drained") return drain(state, parse(fact));
}

}  // namespace

std::string body_of(const StartFact& fact) {
  return line_of({{"job", fact.job}, {"attempt", fact.attempt}, {"ranks", fact.ranks}, {"hosts", fact.hosts}});
}

std::string body_of(const AttemptFact& fact) {
  return line_of({{"job", fact.job}, {"attempt", fact.attempt}, {"counts", fact.counts}, {"reason", fact.reason}});
}

std::string body_of(const AddedFact& fact) { return line_of({{"name", fact.name}, {"text", fact.text}}); }
std::string cancelled_body(const std::string& job) { return line_of({{"job", job}}); }
std::string drained_body(const std::string& host, bool drained) { return line_of({{"host", host}, {"drained", drained}}); }

void SessionReader::read(const results::Fact& fact) {
  try {
    note(state_, fact);
  } catch (const json::exception& error) {
    throw Error(ErrorKind::data, "a fact of the journal can't be read").got(fact.type + ": " + error.what());
  }
}

SessionState session_of(const std::vector<results::Fact>& facts) {
  SessionReader reader;
  for (const results::Fact& fact : facts) reader.read(fact);
  return reader.take();
}

}  // namespace edgelab::batch
