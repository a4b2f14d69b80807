#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/file.hpp"
#include "results/content_hash.hpp"
#include "results/hdf5/handle.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/hdf5/table.hpp"
#include "results/schema/schema.hpp"
#include "results/schema/text.hpp"

namespace edgelab::results {
namespace hdf5 {
namespace {

// Types and property lists that every object needs, made once a file.
struct Common {
  Handle scalar = scalar_space();
  Handle variable_text = utf8_type(H5T_VARIABLE);
  Handle link = property_list(H5P_LINK_CREATE);
  Handle attribute = property_list(H5P_ATTRIBUTE_CREATE);
  Handle group = property_list(H5P_GROUP_CREATE);
  Handle dataset = property_list(H5P_DATASET_CREATE);

  Common() {
    checked(H5Pset_char_encoding(link.id(), H5T_CSET_UTF8), "set the encoding of names");
    checked(H5Pset_char_encoding(attribute.id(), H5T_CSET_UTF8), "set the encoding of names");
    // Jobs come back in the order of the job file, not of the alphabet.
    checked(H5Pset_link_creation_order(group.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
            "track the order of links");
    // Up to 64 attributes stay in the object's own header; the default of 8 costs a heap and a tree for every group.
    checked(H5Pset_attr_phase_change(group.id(), 64, 48), "set the storage of attributes");
    checked(H5Pset_attr_phase_change(dataset.id(), 64, 48), "set the storage of attributes");
    // No time stamps: the same records give the same bytes.
    checked(H5Pset_obj_track_times(group.id(), false), "switch off time stamps");
    checked(H5Pset_obj_track_times(dataset.id(), false), "switch off time stamps");
  }
};

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return H5T_NATIVE_INT64;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return H5T_NATIVE_INT32;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return H5T_NATIVE_UINT8;
  else if constexpr (std::is_same_v<T, float>)
    return H5T_NATIVE_FLOAT;
  else
    return H5T_NATIVE_DOUBLE;
}

class Writer {
 public:
  explicit Writer(hid_t file) : file_(file) {}

  void write(const RunRecord& run) {
    write_record(file_, run, "an edgelab run");
    add_text(file_, "schema", kSchemaName);
    add_text(file_, "creator", "edgelab " + run.provenance.edgelab_version);
    add_text(file_, "NX_class", "NXroot");
    add_text(file_, "schema_sha256", schema_fingerprint());
    add_text(file_, "content_sha256", content_hash_of_frame(run));
    point_at_latency(run);
  }

 private:
  // NeXus: each `default` names the child to go on with, and the last group's `signal` is what to plot. h5web and silx
  // follow it when the file is opened.
  void point_at_latency(const RunRecord& run) {
    const JobRecord* plotted = nullptr;
    for (const JobRecord& job : run.jobs) {
      if (job.latency_ns.empty() || (plotted != nullptr && job.status != Status::done)) continue;
      if (plotted == nullptr || plotted->status != Status::done) plotted = &job;
    }
    if (plotted == nullptr) return;
    add_text(file_, "default", "jobs");
    const Handle jobs(H5Gopen2(file_, "jobs", H5P_DEFAULT), &H5Gclose, "open the group 'jobs'");
    add_text(jobs.id(), "NX_class", "NXentry");
    add_text(jobs.id(), "default", link_name_of(plotted->id));
  }

  template <class Record>
  void write_record(hid_t group, const Record& record, const char* description) {
    add_text(group, "description", description);
    for (const auto& field : Schema<Record>::fields) add_value(group, info_of(field), value_of(record, field));
    Parts<Record> parts{*this, group, record};
    Schema<Record>::parts(parts);
    if constexpr (std::is_same_v<Record, JobRecord>) {
      add_text(group, "content_sha256", content_hash_of(record));
      add_text(group, "NX_class", record.latency_ns.empty() ? "NXcollection" : "NXdata");
      if (record.latency_ns.empty()) return;
      add_text(group, "signal", "latency");
      add_texts(group, "axes", {".", "."});
    }
  }

  Handle make_group(hid_t parent, const std::string& name) {
    return {H5Gcreate2(parent, name.c_str(), common_.link.id(), common_.group.id(), H5P_DEFAULT), &H5Gclose,
            "make the group '" + name + "'"};
  }

  Handle make_dataset(hid_t parent, const char* name, hid_t file_type, hid_t memory, hid_t space, const void* bytes) {
    Handle dataset(H5Dcreate2(parent, name, file_type, space, common_.link.id(), common_.dataset.id(), H5P_DEFAULT),
                   &H5Dclose, std::string("make the dataset '") + name + "'");
    checked(H5Dwrite(dataset.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes),
            std::string("write the dataset '") + name + "'");
    return dataset;
  }

  void add_attribute(hid_t object, const char* name, hid_t type, hid_t space, const void* bytes) {
    const Handle attribute(H5Acreate2(object, name, type, space, common_.attribute.id(), H5P_DEFAULT), &H5Aclose,
                           std::string("make the attribute '") + name + "'");
    checked(H5Awrite(attribute.id(), type, bytes), std::string("write the attribute '") + name + "'");
  }

  template <class T>
  void add_number(hid_t object, const char* name, T value) {
    add_attribute(object, name, memory_type<T>(), common_.scalar.id(), &value);
  }

  // Variable length: h5py gives a str for these and bytes for fixed-length ones, and they may be longer than the 64 KiB
  // that an object header holds.
  void add_text(hid_t object, const char* name, const std::string& text) {
    const std::string clean = clean_utf8(text);
    const char* pointer = clean.c_str();
    add_attribute(object, name, common_.variable_text.id(), common_.scalar.id(), &pointer);
  }

  void add_texts(hid_t object, const char* name, const std::vector<const char*>& texts) {
    const hsize_t count = texts.size();
    const Handle space(H5Screate_simple(1, &count, nullptr), &H5Sclose, "make a data space");
    add_attribute(object, name, common_.variable_text.id(), space.id(), texts.data());
  }

  void add_value(hid_t object, const FieldInfo& field, const Value& value) {
    if (std::holds_alternative<std::monostate>(value)) return;
    switch (field.kind) {
      case Kind::text:
      case Kind::status: return add_text(object, field.name, std::get<std::string>(value));
      case Kind::integer32:
        return add_number(object, field.name, static_cast<std::int32_t>(std::get<std::int64_t>(value)));
      case Kind::integer64: return add_number(object, field.name, std::get<std::int64_t>(value));
      case Kind::real: return add_number(object, field.name, std::get<double>(value));
      case Kind::flag: return add_number(object, field.name, static_cast<std::uint8_t>(std::get<bool>(value)));
    }
  }

  void describe(hid_t dataset, const char* units, const char* description) {
    add_text(dataset, "units", units);
    add_text(dataset, "description", description);
  }

  template <class Record>
  struct Parts;

  hid_t file_;
  Common common_;
};

template <class Record>
struct Writer::Parts {
  Writer& writer;
  hid_t parent;
  const Record& record;

  void text(const char* name, std::string Record::*member, const char* description) {
    const std::string clean = clean_utf8(record.*member);
    const Handle type = utf8_type(std::max<std::size_t>(1, clean.size()));
    const Handle dataset =
        writer.make_dataset(parent, name, type.id(), type.id(), writer.common_.scalar.id(), clean.c_str());
    writer.describe(dataset.id(), "", description);
  }

  template <class Sub>
  void group(const char* name, Sub Record::*member, Presence<Sub> present, const char* description) {
    if (!present(record.*member)) return;
    const Handle made = writer.make_group(parent, name);
    writer.write_record(made.id(), record.*member, description);
  }

  template <class Row>
  void groups(const char* name, std::vector<Row> Record::*member, Key<Row> key, const char* description) {
    const Handle made = writer.make_group(parent, name);
    writer.add_text(made.id(), "description", description);
    for (const Row& row : record.*member) {
      const Handle child = writer.make_group(made.id(), link_name_of(key(row)));
      writer.write_record(child.id(), row, description);
    }
  }

  template <class Row>
  void table(const char* name, std::vector<Row> Record::*member, const char* description) {
    const std::vector<Row>& rows = record.*member;
    if (rows.empty()) return;
    TableImage image(columns_of<Row>(), rows.size());
    for (const Row& row : rows) {
      std::vector<Value> values;
      for (const auto& field : Schema<Row>::fields) values.push_back(value_of(row, field));
      image.add_row(values);
    }
    const Handle type = image.type();
    const hsize_t count = rows.size();
    const Handle space(H5Screate_simple(1, &count, nullptr), &H5Sclose, "make a data space");
    const Handle dataset = writer.make_dataset(parent, name, type.id(), type.id(), space.id(), image.packed().data());
    writer.add_text(dataset.id(), "description", description);
    std::vector<const char*> units, descriptions;
    for (const FieldInfo& column : image.columns()) {
      units.push_back(column.units);
      descriptions.push_back(column.description);
    }
    writer.add_texts(dataset.id(), "units", units);
    writer.add_texts(dataset.id(), "column_descriptions", descriptions);
  }

  template <class Element>
  void array(const ArrayPart<Record, Element>& part) {
    const std::vector<Element>& elements = record.*part.data;
    if (elements.empty() || (part.kept != nullptr && !(record.*part.kept))) return;
    const std::vector<std::int64_t> extents = extents_of(record, part);
    const std::vector<hsize_t> sizes(extents.begin(), extents.end());
    const Handle space(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), &H5Sclose,
                       "make a data space");
    const hid_t type = memory_type<Element>();
    const Handle dataset = writer.make_dataset(parent, part.name, type, type, space.id(), elements.data());
    writer.describe(dataset.id(), part.units, part.description);
    std::vector<const char*> names;
    for (const auto& axis : part.axes) names.push_back(axis.name);
    writer.add_texts(dataset.id(), "dimensions", names);
    if (part.axes.size() == 2)
      writer.add_text(dataset.id(), "interpretation", "spectrum");  // a line for each first index, not a heat map
    else if (part.axes.size() == 3)
      writer.add_text(dataset.id(), "interpretation", "rgb-image");
  }
};

std::vector<std::byte> image_of(const RunRecord& run) {
  const QuietErrors quiet;
  const Handle access = property_list(H5P_FILE_ACCESS);
  constexpr std::size_t kGrowth = 1 << 20;
  checked(H5Pset_fapl_core(access.id(), kGrowth, false), "keep the file in memory");
  // The oldest superblock: H5Fget_file_image() of 1.10 clears a flag in a newer one and leaves its checksum wrong. Object
  // headers are of the newer kind, with checksums, because of their property lists. Readable by 1.8 and later.
  checked(H5Pset_libver_bounds(access.id(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V110), "set the format's version");
  const Handle create = property_list(H5P_FILE_CREATE);
  checked(H5Pset_link_creation_order(create.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
          "track the order of links");
  checked(H5Pset_obj_track_times(create.id(), false), "switch off time stamps");
  const Handle file(H5Fcreate("edgelab-results-in-memory", H5F_ACC_TRUNC, create.id(), access.id()), &H5Fclose,
                    "make a file in memory");
  Writer(file.id()).write(run);
  checked(H5Fflush(file.id(), H5F_SCOPE_GLOBAL), "finish the file");
  std::vector<std::byte> image(
      static_cast<std::size_t>(checked(H5Fget_file_image(file.id(), nullptr, 0), "size the file")));
  checked(H5Fget_file_image(file.id(), image.data(), image.size()), "copy the file");
  return image;
}

}  // namespace
}  // namespace hdf5

std::vector<std::byte> hdf5_image_of(const RunRecord& run) {
  try {
    return hdf5::image_of(run);
  } catch (const hdf5::Failure& failure) {
    throw Error(ErrorKind::environment, std::string("the results can't be laid out: ") + failure.what());
  }
}

void write_run(const std::filesystem::path& path, const RunRecord& run) { replace_file(path, hdf5_image_of(run)); }

}  // namespace edgelab::results
