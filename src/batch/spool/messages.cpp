#include "batch/spool/messages.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json_numbers.hpp"

namespace edgelab::batch {

EDGELAB_JSON_MEMBERS(QueueRow, id, state, attempt, ranks, hosts, running_ns, fraction, text, losses, rates, left_ns)
EDGELAB_JSON_MEMBERS(QueueView, jobs, done, failed, skipped, running, waiting, ranks, free_ranks, drained, lost_ranks, rows)

namespace spool {

using nlohmann::json;

NLOHMANN_JSON_SERIALIZE_ENUM(Command::Kind, {{Command::Kind::queue, "queue"},
                                             {Command::Kind::cancel, "cancel"},
                                             {Command::Kind::drain, "drain"},
                                             {Command::Kind::add, "add"}})
EDGELAB_JSON_MEMBERS(Command, kind, job, host, drained, name, text)
EDGELAB_JSON_MEMBERS(Answer, exit_code, text, view)

namespace {

std::string dumped(const json& body) { return body.dump(-1, ' ', false, json::error_handler_t::replace); }

template <class Message> Message read(std::string_view text, const char* what) {
  try {
    return json::parse(text).get<Message>();
  } catch (const json::exception& error) {
    throw Error(ErrorKind::data, std::string("this is no ") + what).got(error.what());
  }
}

}  // namespace

std::string to_text(const Command& command) { return dumped(command); }
std::string to_text(const Answer& answer) { return dumped(answer); }
Answer answer_from(std::string_view text) { return read<Answer>(text, "answer of a running batch"); }

Command command_from(std::string_view text) {
  const auto command = read<Command>(text, "command to a running batch");
  // The library reads a word it doesn't know as the first of the list.
  const json kind = command.kind;
  if (json::parse(text).at("kind") != kind) throw Error(ErrorKind::data, "this is no command to a running batch").got("kind");
  return command;
}

}  // namespace spool
}  // namespace edgelab::batch
