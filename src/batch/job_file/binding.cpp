#include "batch/job_file/binding.hpp"

#include "batch/job_file/weights_finder.hpp"

namespace edgelab::batch {

double read_amount(const Value& value, const Type& type) {
  switch (type.kind) {
    case Type::Kind::duration: return static_cast<double>(read_duration(value.text).value_or(0));
    case Type::Kind::bytes: return static_cast<double>(read_bytes(value.text).value_or(0));
    default: return read_number(value.text).value_or(0.0);
  }
}

Value show_amount(double amount, const Type& type) {
  switch (type.kind) {
    case Type::Kind::duration: return text_value(write_duration(static_cast<std::int64_t>(amount)));
    case Type::Kind::bytes: return text_value(write_bytes(static_cast<std::int64_t>(amount)));
    default: return plain_value(write_number(amount));
  }
}

void read_member(const Value& value, const Type&, tasks::WeightsSource& out, WeightsFinder* weights) {
  out = {};
  if (value.is_map()) {
    if (const Value* job = value.find("job")) out.job = job->text;
  } else if (value.text != "random") {
    out.path = weights ? weights->find(value) : value.absolute;
  }
}

std::optional<Value> show_member(const tasks::WeightsSource& member, const Type&) {
  if (!member.job.empty()) return nested_value("job", text_value(member.job));
  return text_value(member.path.empty() ? "random" : member.path);
}

Key loader_key(std::string name, Type type, std::string doc, std::string otherwise) {
  return {std::move(name), std::move(type), std::move(doc), std::move(otherwise), false, {}, {}};
}

Key required(Key key) {
  key.required = true;
  return key;
}

}  // namespace edgelab::batch
