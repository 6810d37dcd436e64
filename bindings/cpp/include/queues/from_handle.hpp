// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// `adopt` and `share`, which every queue and event has: an object for a queue that code in another
/// language has created.
#ifndef QUEUES_FROM_HANDLE_HPP
#define QUEUES_FROM_HANDLE_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

namespace queues {

namespace detail {

/// \cond INTERNAL
// Where the reference of an object to a queue that exists comes from: the object takes over that of
// the caller, or adds one.
enum class reference { taken, added };
/// \endcond

/// How an object comes from a handle of the C library; for every queue and for event.
template <class Object, class Handle> class from_handle {
  public:
    /// Extension. Returns an object for a queue (or event) of the C library, which code in any
    /// language has created. The object takes over the caller's reference. Its destructor releases
    /// that reference and does not close the queue; the last release frees the queue.
    ///
    /// For queues of blobs and of a trivially copyable T. In C an item is a pointer whose first
    /// bytes are the T, if T is no larger than a pointer, and otherwise a blob of sizeof(T) bytes.
    /// A shorter blob is filled up with zeros. Never waits. Any thread.
    ///
    /// Throws std::invalid_argument if `handle` is null, if its queue is of another family or holds
    /// pointers instead of blobs or the reverse, or if its item size is not sizeof(T). Then the
    /// caller keeps the reference. Undefined behavior if `handle` points to no queue.
    [[nodiscard]] static Object adopt(Handle *handle) { return Object(handle, reference::taken); }
    /// Extension. Returns an object for a queue (or event) of the C library and adds a reference;
    /// the caller keeps its own. Otherwise as adopt.
    [[nodiscard]] static Object share(Handle *handle) { return Object(handle, reference::added); }

    /// \cond INTERNAL
  protected:
    from_handle() = default;
    ~from_handle() = default;
    from_handle(const from_handle &) = default;
    from_handle &operator=(const from_handle &) = default;
    /// \endcond
};

} // namespace detail

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
