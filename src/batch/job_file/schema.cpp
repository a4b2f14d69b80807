#include <nlohmann/json.hpp>

#include "batch/job_file/batch.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {
namespace {

using Json = nlohmann::ordered_json;

// "data", "a job" → "#/$defs/data", "#/$defs/a_job"; a name that two sections share (`weights`) has one definition each.
std::string definition_name(const Section& section) {
  std::string name = section.name.substr(0, section.name.find(','));
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
}

Json schema_of(const Type& type, Json& definitions);

Json bounds(const Type& type, const char* json_type) {
  Json schema{{"type", json_type}};
  const auto limit = [&](const char* key, double value) {
    if (type.kind == Type::Kind::integer) schema[key] = static_cast<std::int64_t>(value);
    if (type.kind == Type::Kind::number) schema[key] = value;
  };
  limit(type.above_low ? "exclusiveMinimum" : "minimum", type.low);
  if (type.high < 0x1p53) limit(type.below_high ? "exclusiveMaximum" : "maximum", type.high);
  return schema;
}

Json keys_schema(const Section& section, Json& definitions) {
  Json properties = Json::object(), required = Json::array();
  for (const Key& key : section.keys) {
    Json schema = schema_of(key.type, definitions);
    if (!key.doc.empty()) schema["description"] = key.doc;
    properties[key.name] = std::move(schema);
    if (key.required) required.push_back(key.name);
  }
  if (section.defaults) {
    const Json defaults = Json::parse(to_json(section.defaults()));
    for (const auto& [key, value] : defaults.items()) {
      if (value.is_primitive() && properties.contains(key)) properties[key]["default"] = value;
    }
  }
  Json schema{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!section.doc.empty()) schema["description"] = section.doc;
  if (!required.empty()) schema["required"] = std::move(required);
  if (section.exactly_one) schema["minProperties"] = schema["maxProperties"] = 1;
  return schema;
}

// No key of one group beside a key of another.
void add_alternatives(const Section& section, Json& schema) {
  for (std::size_t a = 0; a < section.alternatives.size(); ++a) {
    for (std::size_t b = a + 1; b < section.alternatives.size(); ++b) {
      for (const std::string& one : section.alternatives[a]) {
        for (const std::string& other : section.alternatives[b])
          schema["allOf"].push_back({{"not", {{"required", {one, other}}}}});
      }
    }
  }
}

Json reference_to(const Section& section, Json& definitions) {
  const std::string name = definition_name(section);
  if (!definitions.contains(name)) {
    definitions[name] = Json::object();  // so that it is made once, whoever asks while it is being made
    Json schema = keys_schema(section, definitions);
    add_alternatives(section, schema);
    definitions[name] = std::move(schema);
  }
  return {{"$ref", "#/$defs/" + name}};
}

Json matrix_schema(Json& definitions) {
  Json properties = Json::object();
  for (const std::string& key : dotted_keys(defaults_section())) {
    if (key == "matrix" || key == "exclude" || key == "max_parallel") continue;
    properties[key] = {{"type", "array"},
                       {"minItems", 1},
                       {"uniqueItems", true},
                       {"items", schema_of(*type_of(defaults_section(), key), definitions)}};
  }
  return {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}, {"minProperties", 1}};
}

Json schema_of(const Type& type, Json& definitions) {
  switch (type.kind) {
    case Type::Kind::boolean: return {{"type", "boolean"}};
    case Type::Kind::integer: return bounds(type, "integer");
    case Type::Kind::number: return bounds(type, "number");
    case Type::Kind::text:
      if (!type.pattern.empty()) return {{"type", "string"}, {"pattern", "^(" + type.pattern + ")$"}};
      return {{"type", {"string", "number", "boolean"}}, {"minLength", 1}};  // `id: 7` is a text too
    case Type::Kind::job_id: return {{"type", {"string", "number", "boolean"}}, {"minLength", 1}};
    case Type::Kind::path: return {{"type", "string"}, {"minLength", 1}};
    case Type::Kind::weights_file:
      return {{"type", "string"}, {"minLength", 1}, {"examples", {"random", "../models/NAME.safetensors"}}};
    case Type::Kind::choice: return {{"enum", type.choices}};
    case Type::Kind::duration:
      return {{"type", "string"}, {"pattern", "^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?(ns|us|ms|s|m|h)$"}};
    case Type::Kind::bytes: {
      const Json with_unit{{"type", "string"},
                           {"pattern", "^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?(B|[KMGT]i?B)$"}};
      return {{"anyOf", {Json{{"type", "integer"}, {"minimum", 1}}, with_unit}}};
    }
    case Type::Kind::list: {
      Json schema{{"type", "array"}, {"items", schema_of(type.parts[0], definitions)}};
      if (type.fewest) schema["minItems"] = type.fewest;
      return schema;
    }
    case Type::Kind::map: return reference_to(type.section(), definitions);
    case Type::Kind::matrix:
      if (!definitions.contains("matrix")) definitions["matrix"] = matrix_schema(definitions);
      return {{"$ref", "#/$defs/matrix"}};
    case Type::Kind::exclude: return {{"type", "array"}, {"items", {{"type", "object"}, {"minProperties", 1}}}};
    case Type::Kind::any_of: break;
  }
  Json schema;
  for (const Type& part : type.parts) schema["anyOf"].push_back(schema_of(part, definitions));
  return schema;
}

}  // namespace

std::string json_schema() {
  Json definitions = Json::object();
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "edgelab job file"}};
  schema.update(keys_schema(file_section(), definitions));
  schema["$defs"] = std::move(definitions);
  return schema.dump(2) + "\n";
}

}  // namespace edgelab::batch
