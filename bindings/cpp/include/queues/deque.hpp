/// \file
/// Work stealing.
#ifndef QUEUES_DEQUE_HPP
#define QUEUES_DEQUE_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "bytes.hpp"
#include "detail/deque.hpp"
#include "options.hpp"
#include "queue.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace queues {

namespace detail {

/// A thief's end of a deque. Any thread may use it, and copy it; each copy keeps the deque alive,
/// and the last to go, of the owner and the stealers, destroys the items that are left.
template <class Payload>
class deque_stealer : public queue_view<deque_calls, Payload, queue_ref<deque_calls>> {
    using base = queue_view<deque_calls, Payload, queue_ref<deque_calls>>;

  public:
    using typename base::value_type;

    deque_stealer(const deque_stealer &other) noexcept
        : deque_stealer(other.port_.queue, other.port_.item_size) {}
    deque_stealer &operator=(const deque_stealer &other) noexcept {
        deque_stealer copy(other);
        std::swap(port_, copy.port_);
        return *this;
    }
    ~deque_stealer() { queues_deque_release(port_.queue); }

    /// Takes the item that was pushed first. Does not wait. Or the error empty, or retry: another
    /// thread took that item meanwhile, and there may be more.
    [[nodiscard]] expected<value_type, conqueue_status> steal() const {
        const auto top = [](std::int64_t) { return at_top{}; };
        return this->template take_when<typename base::outcome>(at_once, top);
    }

    /// Takes up to `count` items, one after the other, and assigns them to `*out++`, in the order
    /// in which they were pushed; other thieves may take some between them. Does not wait. Returns
    /// how many; if none, empty or retry. If assigning throws, that one item is lost.
    template <class Output>
    [[nodiscard]] bulk_result steal_many(Output out, std::size_t count) const {
        return this->take_many(out, count, at_top{}, at_top{});
    }
    /// The same into what `items` holds in a row: as many as its size.
    template <class Range, class = if_writable<Range, value_type>>
    [[nodiscard]] bulk_result steal_many(Range &&items) const {
        return steal_many((std::data)(items), (std::size)(items));
    }

    /// Whether the deque was empty at some moment of the call. Does not wait. Any thread.
    [[nodiscard]] bool is_empty() const noexcept { return queues_deque_is_empty(port_.queue); }

  protected:
    template <class, class> friend class deque_owner;
    deque_stealer(queues_deque_t *deque, std::size_t item_size) noexcept {
        port_ = {queues_deque_retain(deque), item_size};
    }

    using base::port_;
};

/// The owner's end of a deque, and its life. Nothing waits.
template <class Payload, class Stealer>
class deque_owner : public basic_queue<deque_calls, Payload> {
    using base = basic_queue<deque_calls, Payload>;

  public:
    using typename base::argument;
    using typename base::value_type;
    using stealer = Stealer; ///< what thieves have

    /// Puts `value` at the bottom. Owner. False: the deque is full (never if it grows), and `value`
    /// is as it was.
    bool push(const argument &value) { return base::is_in(put(value)); }
    /// The same, moving from `value` when the deque accepts it.
    bool push(argument &&value) { return base::is_in(put(std::move(value))); }

    /// The same as a status: success or full.
    [[nodiscard]] conqueue_status try_push(const argument &value) { return put(value); }
    /// The same, moving from `value` when the deque accepts it.
    [[nodiscard]] conqueue_status try_push(argument &&value) { return put(std::move(value)); }

    /// Constructs an item from `args` and puts it at the bottom. Owner. False: the deque is full,
    /// and `args` are as they were: only the owner can fill it. (Of a deque that finds no memory to
    /// grow, which throws std::bad_alloc, the item is destroyed.) The statistics of stealers do not
    /// count the emplaces that found it full.
    template <class... Args> bool emplace(Args &&...args) {
        return base::is_in(construct(std::forward<Args>(args)...));
    }
    /// The same as a status: success or full.
    template <class... Args> [[nodiscard]] conqueue_status try_emplace(Args &&...args) {
        return construct(std::forward<Args>(args)...);
    }

    /// Takes the item that was pushed last. Owner. nullopt: the deque is empty.
    [[nodiscard]] std::optional<value_type> pop() {
        return this->template take_when<typename base::popped>(at_once, bottom);
    }

    /// Another thief's end. Any thread.
    [[nodiscard]] Stealer get_stealer() const noexcept {
        return Stealer(this->port_.queue, this->port_.item_size);
    }

    /// Whether the deque was empty at some moment of the call. Any thread.
    [[nodiscard]] bool is_empty() const noexcept {
        return queues_deque_is_empty(this->port_.queue);
    }

  protected:
    template <class... Modes>
    deque_owner(std::size_t capacity, std::size_t item_size, Modes... modes)
        : base(capacity, item_size, (std::uint64_t{0} | ... | flag(modes))),
          grows_((... || std::is_same_v<Modes, growable_t>)) {}

  private:
    const bool grows_;

    static at_bottom bottom(std::int64_t) { return {}; }

    template <class Value> conqueue_status put(Value &&value) {
        return this->put_when(std::forward<Value>(value), at_once, bottom);
    }
    template <class... Args> conqueue_status construct(Args &&...args) {
        if constexpr (is_itself<argument, Args...>::value) {
            return put(std::forward<Args>(args)...);
        } else {
            if constexpr (!base::template emplaces_alone<Args...>) {
                if (!grows_ && this->size() >= this->capacity())
                    return this->refuse();
            }
            return this->emplace_now(at_bottom{}, std::forward<Args>(args)...);
        }
    }
};

/// A thief's end of a deque of byte strings.
class bytes_stealer : public deque_stealer<by_blob<deque_calls>> {
  public:
    /// The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return port_.item_size; }

    /// As steal, into the caller's buffer: allocates nothing. Returns the item's length, or the
    /// error empty, retry, or too_small when the item is longer than `capacity` (it stays).
    [[nodiscard]] expected<std::size_t, conqueue_status> steal_into(void *buffer,
                                                                    std::size_t capacity) const {
        return take_into(buffer, capacity, at_top{});
    }

  private:
    template <class, class> friend class deque_owner;
    using deque_stealer::deque_stealer;
};

template <class T> using stealer_of = deque_stealer<payload_of<deque_calls, T>>;
template <class T> using deque_of = deque_owner<payload_of<deque_calls, T>, stealer_of<T>>;

} // namespace detail

/// Extension. A work-stealing deque of T: one thread at a time, its owner, pushes and pops at the
/// bottom, last in first out; any number of thieves steal at the top, first in first out, each by a
/// stealer. The calls of the owner are the members of this class but for those that any thread may
/// call. Never closed: who owns it knows when nothing more is to come.
template <class T> class deque : public detail::deque_of<T> {
    using base = detail::deque_of<T>;

  public:
    /// A deque of the library's default capacity. Throws std::bad_alloc.
    deque() : base(detail::default_capacity, base::slot_size) {}
    /// A deque with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument for 0 or more than an address space holds. With `growable` it doubles
    /// its capacity when it is full, and a push that finds no memory throws std::bad_alloc; with
    /// `checked` a push or pop that overlaps another one, which is an error in the program, throws
    /// `misuse` and changes nothing.
    template <class... Modes>
    explicit deque(std::size_t capacity, Modes... modes)
        : base(detail::exactly(capacity), base::slot_size, modes...) {}
};

/// Extension. A work-stealing deque of byte strings, as mpmc_bytes and deque<T> are.
class deque_bytes
    : public detail::deque_owner<detail::by_blob<detail::deque_calls>, detail::bytes_stealer> {
  public:
    /// A deque with room for exactly `capacity` items of up to `item_size` bytes; `growable` and
    /// `checked` as in deque<T>. Throws std::bad_alloc, and std::invalid_argument when either is 0
    /// or the product is beyond all memory.
    template <class... Modes>
    deque_bytes(std::size_t capacity, std::size_t item_size, Modes... modes)
        : deque_owner(detail::exactly(capacity), item_size, modes...) {}

    /// The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return port_.item_size; }

    /// As pop, into the caller's buffer: allocates nothing. Returns the item's length, or the error
    /// empty, or too_small when the item is longer than `capacity` (it stays).
    [[nodiscard]] expected<std::size_t, conqueue_status> pop_into(void *buffer,
                                                                  std::size_t capacity) {
        return take_into(buffer, capacity, detail::at_bottom{});
    }
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
