#include "batch/job_file/batch.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {
namespace {

std::string in_code(const std::string& text) { return "`" + text + "`"; }

// Choices as code, so that they can be copied; the rest as messages say it.
std::string type_text(const Type& type) {
  if (type.kind == Type::Kind::map) return "map";
  if (type.kind == Type::Kind::list)
    return "list of " + (type.parts[0].kind == Type::Kind::map ? std::string("maps") : type_text(type.parts[0]));
  std::string text;
  if (type.kind == Type::Kind::choice) {
    for (const std::string& each : type.choices) text += (text.empty() ? "" : ", ") + in_code(each);
    return text;
  }
  if (type.kind != Type::Kind::any_of) return described(type);
  for (const Type& part : type.parts) text += (text.empty() ? "" : ", or ") + type_text(part);
  return text;
}

std::string default_text(const Key& key, const Value& defaults) {
  if (!key.otherwise.empty()) return key.otherwise;
  if (key.required) return "must be given";
  const Value* value = defaults.find(key.name);
  if (!value || value->is_map()) return "";
  return in_code(value->is_scalar() ? value->text : to_flow_yaml(*value));
}

}  // namespace

std::string key_reference() {
  std::string text;
  for (const Section* section : all_sections()) {
    text += (text.empty() ? "### " : "\n### ") + section->name + "\n\n";
    if (!section->doc.empty()) text += section->doc + "\n\n";
    text += "| key | value | without it | meaning |\n|---|---|---|---|\n";
    const Value defaults = section->defaults ? section->defaults() : map_value();
    for (const Key& key : section->keys) {
      text += "| " + in_code(key.name) + " | " + type_text(key.type) + " | " + default_text(key, defaults) + " | " +
              key.doc + " |\n";
    }
  }
  return text;
}

}  // namespace edgelab::batch
