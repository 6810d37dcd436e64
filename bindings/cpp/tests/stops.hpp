// A stop token of the tests' own, for C++17: a type with the members that the headers require.
#ifndef STOPS_HPP
#define STOPS_HPP

#include <atomic>
#include <cstddef>
#include <mutex>
#include <set>
#include <utility>

namespace stops {

struct callback_base {
    virtual void call() noexcept = 0;

  protected:
    ~callback_base() = default;
};

class source {
  public:
    void request_stop() {
        const std::lock_guard<std::mutex> lock(mutex_);
        requested_ = true;
        for (callback_base *each : callbacks_)
            each->call();
    }
    bool requested() const { return requested_; }
    std::size_t callbacks() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return callbacks_.size();
    }
    void add(callback_base &callback) {
        const std::lock_guard<std::mutex> lock(mutex_);
        callbacks_.insert(&callback);
        if (requested_)
            callback.call();
    }
    void remove(callback_base &callback) {
        const std::lock_guard<std::mutex> lock(mutex_);
        callbacks_.erase(&callback);
    }

  private:
    std::mutex mutex_;
    std::set<callback_base *> callbacks_;
    std::atomic<bool> requested_{false};
};

struct token {
    source *of = nullptr;

    bool stop_possible() const { return of != nullptr; }
    bool stop_requested() const { return of != nullptr && of->requested(); }

    template <class Callback> class callback_type final : callback_base {
      public:
        callback_type(const token &t, Callback callback)
            : of_(t.of), callback_(std::move(callback)) {
            if (of_ != nullptr)
                of_->add(*this);
        }
        ~callback_type() {
            if (of_ != nullptr)
                of_->remove(*this);
        }

      private:
        void call() noexcept override { callback_(); }

        source *const of_;
        Callback callback_;
    };
};

} // namespace stops

#endif
