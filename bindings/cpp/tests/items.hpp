// An item type for each kind of storage, with conversions from a number and back.
#ifndef ITEMS_HPP
#define ITEMS_HPP

#include "check.hpp"

#include <array>
#include <atomic>

// Trivially copyable, but longer than a pointer.
struct record {
    std::array<std::uint64_t, 12> words;
    record(std::uint64_t n) { words.fill(n); }
    operator std::uint64_t() const {
        for (const auto word : words)
            CHECK(word == words[0]);
        return words[0];
    }
};

// Not trivially copyable; counts its instances.
struct counted {
    inline static std::atomic<int> alive{0};
    std::uint64_t number;
    counted(std::uint64_t n) : number(n) { ++alive; }
    counted(counted &&other) noexcept : number(std::exchange(other.number, 0)) { ++alive; }
    counted &operator=(counted &&other) noexcept {
        number = std::exchange(other.number, 0);
        return *this;
    }
    ~counted() { --alive; }
    operator std::uint64_t() const { return number; }
};

template <class T> T make(std::uint64_t n) { return T(n); }
template <> inline std::unique_ptr<std::uint64_t> make(std::uint64_t n) {
    return std::make_unique<std::uint64_t>(n);
}
template <> inline std::string make(std::uint64_t n) { return std::to_string(n); }

inline std::uint64_t number(const std::unique_ptr<std::uint64_t> &item) { return item ? *item : 0; }
inline std::uint64_t number(const std::string &item) {
    return item.empty() ? 0 : std::stoull(item);
}
template <class T> std::uint64_t number(const T &item) { return item; }

#endif
