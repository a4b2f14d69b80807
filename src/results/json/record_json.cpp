#include "results/json/record_json.hpp"

#include <cstring>
#include <span>

#include "core/error.hpp"
#include "core/json_numbers.hpp"
#include "results/json/encoding.hpp"
#include "results/schema/schema.hpp"
#include "results/schema/text.hpp"

namespace edgelab::results {
namespace {

// Arrays that go as their bytes: those of which a number would take more letters, or lose digits.
template <class Element>
constexpr bool kAsBytes = std::is_floating_point_v<Element> || sizeof(Element) == 1;

template <class Record>
Json to_json(const Record& record, Form form);
template <class Record>
void from_json(const Json& json, Record& record);

// Lists within lists, one depth an axis.
template <class Element>
Json nested(std::span<const Element> elements, std::span<const std::int64_t> extents) {
  Json list = Json::array();
  const auto own = static_cast<std::size_t>(extents.front());
  for (std::size_t i = 0; i < own; ++i) {
    if (extents.size() > 1)
      list.push_back(nested(elements.subspan(i * (elements.size() / own), elements.size() / own), extents.subspan(1)));
    else if constexpr (std::is_floating_point_v<Element>)
      list.push_back(json_of(Value(static_cast<double>(elements[i])), Form::exported));
    else
      list.push_back(elements[i]);
  }
  return list;
}

template <class Record>
struct JsonWriter {
  Json& json;
  const Record& record;
  Form form;

  void text(const char* name, std::string Record::*member, const char*) { json[name] = clean_utf8(record.*member); }

  template <class Sub>
  void group(const char* name, Sub Record::*member, Presence<Sub> present, const char*) {
    if (present(record.*member)) json[name] = to_json(record.*member, form);
  }

  template <class Row>
  void groups(const char* name, std::vector<Row> Record::*member, Key<Row> key, const char*) {
    if (form != Form::shown && form != Form::exported) return rows(name, member);
    Json& object = json[name] = Json::object();
    for (const Row& row : record.*member) object[clean_utf8(key(row))] = to_json(row, form);
  }

  template <class Row>
  void table(const char* name, std::vector<Row> Record::*member, const char*) {
    rows(name, member);
  }

  template <class Element>
  void array(const ArrayPart<Record, Element>& part) {
    const std::vector<Element>& elements = record.*part.data;
    if (form == Form::shown || elements.empty()) return;
    if (form == Form::exported) {
      if (part.kept == nullptr || record.*part.kept) json[part.name] = nested(std::span(elements), extents_of(record, part));
      return;
    }
    Json extents = extents_of(record, part);
    Json data = elements;
    if constexpr (kAsBytes<Element>) data = json_of_bytes(std::as_bytes(std::span(elements)), form);
    json[part.name] = Json{{"extents", std::move(extents)}, {"data", std::move(data)}};
  }

 private:
  template <class Row>
  void rows(const char* name, std::vector<Row> Record::*member) {
    Json& list = json[name] = Json::array();
    for (const Row& row : record.*member) list.push_back(to_json(row, form));
  }
};

template <class Record>
Json to_json(const Record& record, Form form) {
  Json json = Json::object();
  for (const auto& field : Schema<Record>::fields) {
    Value value = value_of(record, field);
    if (!std::holds_alternative<std::monostate>(value)) json[field.name] = json_of(value, form);
  }
  JsonWriter<Record> writer{json, record, form};
  Schema<Record>::parts(writer);
  return json;
}

const Json* member_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

template <class Record>
struct JsonReader {
  const Json& json;
  Record& record;

  void text(const char* name, std::string Record::*member, const char* description) {
    if (const Json* held = member_of(json, name)) {
      record.*member = std::get<std::string>(value_from(*held, {name, Kind::text, false, "", description, false}));
    }
  }

  template <class Sub>
  void group(const char* name, Sub Record::*member, Presence<Sub>, const char*) {
    if (const Json* held = member_of(json, name)) from_json(*held, record.*member);
  }

  template <class Row>
  void groups(const char* name, std::vector<Row> Record::*member, Key<Row>, const char*) {
    rows(name, member);
  }
  template <class Row>
  void table(const char* name, std::vector<Row> Record::*member, const char*) {
    rows(name, member);
  }

  template <class Element>
  void array(const ArrayPart<Record, Element>& part) {
    const Json* held = member_of(json, part.name);
    if (held == nullptr) return;
    const auto extents = whole_numbers<std::int64_t>(held->at("extents"));
    auto& elements = record.*part.data;
    if constexpr (kAsBytes<Element>) {
      const std::vector<std::byte> bytes = bytes_from(held->at("data"), part.name);
      if (bytes.size() % sizeof(Element) != 0)
        throw Error(ErrorKind::data, std::string("'") + part.name + "' holds part of a number");
      elements.resize(bytes.size() / sizeof(Element));
      if (!bytes.empty()) std::memcpy(elements.data(), bytes.data(), bytes.size());
    } else {
      elements = whole_numbers<Element>(held->at("data"));
    }
    std::size_t wanted = 1;
    for (const std::int64_t extent : extents) {
      if (extent < 0 || (extent > 0 && wanted > elements.size() / static_cast<std::size_t>(extent)))
        wanted = elements.size() + 1;
      else
        wanted *= static_cast<std::size_t>(extent);
    }
    if (extents.size() != part.axes.size() || wanted != elements.size()) {
      throw Error(ErrorKind::data, std::string("the extents of '") + part.name + "' don't fit its " +
                                       std::to_string(elements.size()) + " elements");
    }
    for (std::size_t i = 0; i < extents.size(); ++i) set_extent(record, part.axes[i], extents[i]);
  }

 private:
  template <class Row>
  void rows(const char* name, std::vector<Row> Record::*member) {
    const Json* held = member_of(json, name);
    if (held == nullptr) return;
    if (!held->is_array())
      throw Error(ErrorKind::data, std::string("'") + name + "' has the wrong type")
          .got(held->type_name())
          .expected("a list");
    for (const Json& row : *held) from_json(row, (record.*member).emplace_back());
  }
};

template <class Record>
void from_json(const Json& json, Record& record) {
  if (!json.is_object())
    throw Error(ErrorKind::data, "a record has the wrong type").got(json.type_name()).expected("an object");
  for (const auto& field : Schema<Record>::fields) {
    const Json* held = member_of(json, field.name);
    if (held != nullptr)
      set_value(record, field, value_from(*held, info_of(field)));
    else if (field.required)
      throw Error(ErrorKind::data, std::string("a record lacks '") + field.name + "'");
  }
  JsonReader<Record> reader{json, record};
  Schema<Record>::parts(reader);
}

// The JSON library's own exceptions as ours.
template <class Record, class Parse>
Record parsed(Parse parse, const char* what) {
  try {
    Record record;
    from_json(parse(), record);
    return record;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data, std::string(what) + " can't be read: " + error.what());
  }
}

}  // namespace

std::string to_json_text(const JobRecord& job) { return to_json(job, Form::text).dump(); }

JobRecord job_record_from_json_text(std::string_view text) {
  return parsed<JobRecord>([&] { return Json::parse(text); }, "a job's record");
}

std::string frame_json_text(const RunRecord& run, const std::string& session) {
  RunRecord frame{run.provenance, run.hosts, run.links, {}};
  Json json = to_json(frame, Form::text);
  if (!session.empty()) json["session"] = clean_utf8(session);
  return json.dump();
}

RunRecord frame_from_json_text(std::string_view text) {
  return parsed<RunRecord>([&] { return Json::parse(text); }, "a run's record");
}

std::string ids_json_text(const std::vector<std::string>& ids) {
  Json list = Json::array();
  for (const std::string& id : ids) list.push_back(clean_utf8(id));
  return list.dump();
}

std::vector<std::string> ids_from_json_text(std::string_view text) {
  try {
    return Json::parse(text).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data, std::string("a list of ids can't be read: ") + error.what());
  }
}

std::vector<std::uint8_t> to_bytes(const JobRecord& job) { return Json::to_cbor(to_json(job, Form::cbor)); }

JobRecord job_record_from_bytes(std::span<const std::uint8_t> bytes) {
  return parsed<JobRecord>([&] { return Json::from_cbor(bytes.begin(), bytes.end()); }, "a job's record");
}

std::vector<std::uint8_t> host_to_bytes(const HostRecord& host) { return Json::to_cbor(to_json(host, Form::cbor)); }

HostRecord host_from_bytes(std::span<const std::uint8_t> bytes) {
  return parsed<HostRecord>([&] { return Json::from_cbor(bytes.begin(), bytes.end()); }, "a host's record");
}

namespace {

Json headed(const RunRecord& run, Form form) {
  Json json = {{"schema", kSchemaName}, {"complete", run.provenance.complete}};
  json.update(to_json(run, form));
  return json;
}

}  // namespace

nlohmann::ordered_json shown_json(const RunRecord& run) { return headed(run, Form::shown); }
nlohmann::ordered_json exported_json(const RunRecord& run) { return headed(run, Form::exported); }

}  // namespace edgelab::results
