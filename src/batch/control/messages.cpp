#include "batch/control/messages.hpp"

#include "parallel/archive.hpp"

namespace edgelab::batch {

template <class Message> parallel::Bytes encode(const Message& message) { return parallel::pack(message); }
template <class Message> Message decode(const parallel::Bytes& bytes) { return parallel::unpack<Message>(bytes); }

template parallel::Bytes encode(const Assign&);
template parallel::Bytes encode(const Number&);
template parallel::Bytes encode(const Acknowledged&);
template parallel::Bytes encode(const Progress&);
template parallel::Bytes encode(const Ended&);
template parallel::Bytes encode(const Shutdown&);
template Assign decode(const parallel::Bytes&);
template Number decode(const parallel::Bytes&);
template Acknowledged decode(const parallel::Bytes&);
template Progress decode(const parallel::Bytes&);
template Ended decode(const parallel::Bytes&);
template Shutdown decode(const parallel::Bytes&);

}  // namespace edgelab::batch
