#include "results/schema/markdown.hpp"

#include "results/schema/schema.hpp"

namespace edgelab::results {
namespace {

std::string type_name(const FieldInfo& field) {
  switch (field.kind) {
    case Kind::text:
    case Kind::status: return "string";
    case Kind::integer32: return "int32";
    case Kind::integer64: return "int64";
    case Kind::real: return "float64";
    case Kind::flag: return "uint8, 0 or 1";
  }
  return "";
}

template <class Element>
std::string element_name() {
  if constexpr (std::is_floating_point_v<Element>)
    return "float" + std::to_string(8 * sizeof(Element));
  else
    return std::string(std::is_unsigned_v<Element> ? "uint" : "int") + std::to_string(8 * sizeof(Element));
}

struct Page {
  std::string text;

  template <class Record>
  void fields(const char* heading) {
    if (std::size(Schema<Record>::fields) == 0) return;
    text += std::string("\n| ") + heading + " | type | units | |\n|---|---|---|---|\n";
    for (const auto& field : Schema<Record>::fields) {
      const FieldInfo info = info_of(field);
      text += std::string("| `") + info.name + "`" +
              (info.required   ? " (required)"
               : info.optional ? " (may be absent)"
                               : "") +
              " | " + type_name(info) + " | " + info.units + " | " + info.description + " |\n";
    }
  }

  template <class Record>
  void record(const std::string& path);
};

template <class Record>
struct Parts {
  Page& page;
  std::string path;

  void heading(const std::string& name, const std::string& kind, const char* description) {
    page.text += "\n## `" + path + name + "`\n\n" + kind + ": " + description + ".\n";
  }
  void text(const char* name, std::string Record::*, const char* description) {
    heading(name, "Scalar string", description);
  }

  template <class Sub>
  void group(const char* name, Sub Record::*, Presence<Sub>, const char* description) {
    heading(std::string(name) + "/", "Group", description);
    page.record<Sub>(path + name + "/");
  }
  template <class Row>
  void groups(const char* name, std::vector<Row> Record::*, Key<Row>, const char* description) {
    const std::string list = name;
    const std::string key = list == "jobs" ? "<id>" : list == "ranks" ? "<r>" : list == "mistakes" ? "<sample>" : "<name>";
    heading(std::string(name) + "/" + key + "/", "Groups", description);
    page.record<Row>(path + name + "/" + key + "/");
  }
  template <class Row>
  void table(const char* name, std::vector<Row> Record::*, const char* description) {
    heading(name, "Table", description);
    page.fields<Row>("column");
  }
  template <class Element>
  void array(const ArrayPart<Record, Element>& part) {
    std::string axes;
    for (const auto& axis : part.axes) axes += (axes.empty() ? "" : ", ") + std::string(axis.name);
    heading(part.name,
            element_name<Element>() + " [" + axes + "]" +
                (std::string(part.units) == "1" ? "" : std::string(", ") + part.units),
            part.description);
  }
};

template <class Record>
void Page::record(const std::string& path) {
  fields<Record>("attribute");
  Parts<Record> parts{*this, path};
  Schema<Record>::parts(parts);
}

constexpr const char* kPreamble = R"(# What a results file holds

Generated from `src/results/schema` by `edgelab results schema > results/schema.md`; a test compares the two.

Plain HDF5 (readable by 1.8 and later), no compression, no external links.

- Root attributes: `schema` = "edgelab/1", `creator`, and `default` when a job has latencies: the NeXus trail root → `jobs` → the first job done, whose `signal` is `latency`.
- Times are integers in nanoseconds and end in `_ns`; sizes are bytes.
- Attributes are variable-length UTF-8 strings (h5py: `str`), integers or floats. What could not be known is absent. NaN stands only in columns of `telemetry` and `energy` that a board can't tell, never for a failure.
- Tables are compound datasets with fixed-length UTF-8 strings. Their attribute `units` has one entry a column, `column_descriptions` too. An empty table, text or array is left out, but for `config`.
- Every other dataset has the attributes `units`, `description` and `dimensions`.
- `content_sha256` on the root and on every job lets `edgelab results verify` find a changed value.
- A job's group is its id with `/`, `%`, control characters and a leading `.` written as `%XX`; the attribute `id` has the id itself. Groups are in the order of the job file (creation order).
- An attribute, column or dataset may be added within "edgelab/1"; none changes its meaning or goes.
)";

}  // namespace

std::string schema_markdown() {
  Page page{kPreamble};
  page.record<RunRecord>("/");
  return page.text;
}

}  // namespace edgelab::results
