#include "kernels/message/exchange.hpp"

#include <cstring>
#include <memory>

#include "core/error.hpp"
#include "kernels/message/message.hpp"

namespace edgelab::kernels {
namespace {

TensorType part_of(const TensorType& whole, int axis, std::int64_t size) {
  TensorType part = whole;
  part.shape[axis] = size;
  return part;
}

std::string text_of(const Range& range) { return range.empty() ? "none" : std::to_string(range.begin) + " to " + std::to_string(range.end - 1); }

}  // namespace

std::vector<TensorType> Exchange::infer(std::span<const TensorType> inputs) const {
  const std::size_t expected = has_input() ? 1 : 0;
  if (whole.shape.rank() == 4 && axis == 1 && size_of(whole.dtype) != 1) throw Error(ErrorKind::data, "exchange: channels travel as bytes").got(std::string(name_of(whole.dtype)));
  require_inputs(kName, inputs, expected, expected);
  const Range own = owned[static_cast<std::size_t>(rank)], want = wanted[static_cast<std::size_t>(rank)];
  if (has_input()) {
    require_shape(kName, inputs[0], part_of(whole, axis, held.size()).shape, "the input");
    if (!(overlap(own, held) == own)) throw Error(ErrorKind::data, "exchange: the rank does not hold what it owns").got(text_of(held)).expected(text_of(own));
  }
  if (want.empty()) throw Error(ErrorKind::data, "exchange: a rank wants nothing").got("rank " + std::to_string(rank));
  return {part_of(whole, axis, want.size())};
}

std::string Exchange::text() const {
  const auto at = static_cast<std::size_t>(rank);
  const char* const what = axis == 2 ? "rows " : whole.shape.rank() == 4 ? "channels " : "tokens ";
  return what + text_of(owned[at]) + " here, " + text_of(wanted[at]) + " wanted, of " + std::to_string(whole.shape[axis]);
}

std::vector<Range> Exchange::taken(int from, int to) const {
  const auto at = [](int r) { return static_cast<std::size_t>(r); };
  const Range want = wanted[at(to)], offered = overlap(want, owned[at(from)]);
  if (offered.empty()) return {};
  std::vector<Range> left = {offered};
  const auto without = [&](const Range& gone) {
    std::vector<Range> rest;
    for (const Range& part : left) {
      for (const Range& piece : {overlap(part, {part.begin, gone.begin}), overlap(part, {gone.end, part.end})}) {
        if (!piece.empty()) rest.push_back(piece);
      }
    }
    left = std::move(rest);
  };
  if (from == to) return left;
  if (!owned[at(to)].empty()) without(owned[at(to)]);
  for (int other = 0; other < from; ++other) {
    if (other != to && !owned[at(other)].empty()) without(owned[at(other)]);
  }
  return left;
}

std::span<const Implementation> Exchange::implementations() {
  static constexpr Implementation list[] = {{"transport", exchange_transport}};
  return list;
}

namespace {

struct Copy {
  std::int64_t from = 0, to = 0, rows = 0;
};

struct Prepared {
  StripExchange strips;
  std::vector<Copy> copies;  // of what is here already
};

Prepared prepared(const Exchange& exchange) {
  const bool channels_last = message::travels_channels_last(exchange.whole.shape);
  const Shape& shape = exchange.whole.shape;
  Prepared p;
  StripExchange& strips = p.strips;
  strips.dtype = exchange.whole.dtype;
  const auto place = [&](int axis) { return channels_last && axis == 1 ? shape.rank() : axis; };  // in memory
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis != exchange.axis) (place(axis) < place(exchange.axis) ? strips.outer : strips.row_elements) *= shape[axis];
  }
  strips.first_element = exchange.first_element;
  strips.scaled_elements = message::row_width(shape) - strips.first_element;
  const Range want = exchange.wanted[static_cast<std::size_t>(exchange.rank)];
  strips.rows_here = exchange.held.size();
  strips.rows_wanted = want.size();
  for (const Range& part : exchange.taken(exchange.rank, exchange.rank)) p.copies.push_back({part.begin - exchange.held.begin, part.begin - want.begin, part.size()});
  for (int other = 0; other < static_cast<int>(exchange.owned.size()); ++other) {
    if (other == exchange.rank) continue;
    for (const Range& part : exchange.taken(exchange.rank, other)) strips.sends.push_back({other, part.begin - exchange.held.begin, part.size()});
    for (const Range& part : exchange.taken(other, exchange.rank)) strips.receives.push_back({other, part.begin - want.begin, part.size()});
  }
  return p;
}

void copy_rows(const Prepared& p, const std::byte* from, std::byte* to) {
  const auto row = static_cast<std::size_t>(p.strips.row_elements) * size_of(p.strips.dtype);
  for (const Copy& copy : p.copies) {
    for (std::int64_t o = 0; o < p.strips.outer; ++o) {
      std::memcpy(to + static_cast<std::size_t>(o * p.strips.rows_wanted + copy.to) * row, from + static_cast<std::size_t>(o * p.strips.rows_here + copy.from) * row,
                  static_cast<std::size_t>(copy.rows) * row);
    }
  }
}

}  // namespace

Offer exchange_transport(const CallSite& site) {
  const auto& settings = *site.op.as<Exchange>();
  const bool has_input = settings.has_input();
  if (settings.transport == nullptr) return Offer::refuse("it has no transport");
  if (has_input && site.constant(0)) return Offer::refuse("the input is a constant");
  Transport* const transport = settings.transport;
  const auto p = std::make_shared<const Prepared>(prepared(settings));
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const std::byte* x = has_input ? buffers.inputs[0] : nullptr;
      std::byte* y = buffers.outputs[0];
      return [=] {
        copy_rows(*p, x, y);
        transport->exchange(p->strips, x, y);
      };
    }};
  });
  if (has_input) offer.inputs[0] = message::travelling_layout(site.inputs[0], settings.whole.shape);
  offer.outputs[0] = message::travelling_layout(site.outputs[0], settings.whole.shape);
  return offer;
}

}  // namespace edgelab::kernels
