// The parts of std::thread, std::condition_variable and the clocks of std::chrono that are not in
// the C++ library's headers. Weak, for the library's own, which are for other threads, may come
// along with something else.
#include <kairos/kairos.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "fatal.hpp"

using kairos::internal::fatal;

namespace {

void require(int error, const char* what) {
    if (error != 0) fatal(what);
}

int run_state(void* argument) {
    const std::unique_ptr<std::thread::_State> state(static_cast<std::thread::_State*>(argument));
    state->_M_run();
    return 0;
}

}  // namespace

namespace std {

// ---- Threads ------------------------------------------------------------------------------------

[[gnu::weak]] thread::_State::~_State() = default;

[[gnu::weak]] void thread::_M_start_thread(_State_ptr state, void (*)()) {
    require(thrd_create(&_M_id._M_thread, run_state, state.get()), "a thread cannot be started");
    static_cast<void>(state.release());
}

[[gnu::weak]] void thread::join() {
    if (!joinable()) fatal("join of a thread that is none");
    require(thrd_join(_M_id._M_thread, nullptr), "a thread cannot be joined");
    _M_id = id();
}

[[gnu::weak]] void thread::detach() {
    if (!joinable()) fatal("detach of a thread that is none");
    thrd_detach(_M_id._M_thread);
    _M_id = id();
}

// Not known: the system's state takes authority to see.
[[gnu::weak]] unsigned thread::hardware_concurrency() noexcept { return 0; }

// ---- Condition variables ------------------------------------------------------------------------

[[gnu::weak]] condition_variable::condition_variable() noexcept = default;
[[gnu::weak]] condition_variable::~condition_variable() noexcept = default;
[[gnu::weak]] void condition_variable::notify_one() noexcept { _M_cond.notify_one(); }
[[gnu::weak]] void condition_variable::notify_all() noexcept { _M_cond.notify_all(); }
[[gnu::weak]] void condition_variable::wait(unique_lock<mutex>& lock) {
    _M_cond.wait(*lock.mutex());
}

// ---- std::call_once -----------------------------------------------------------------------------

[[gnu::weak]] __thread void* __once_callable = nullptr;
[[gnu::weak]] __thread void (*__once_call)() = nullptr;
extern "C" [[gnu::weak]] void __once_proxy() { __once_call(); }

// ---- Clocks -------------------------------------------------------------------------------------

namespace chrono {
inline namespace _V2 {

[[gnu::weak]] system_clock::time_point system_clock::now() noexcept {
    return time_point(duration(static_cast<int64_t>(kairos_clock_now())));
}

[[gnu::weak]] steady_clock::time_point steady_clock::now() noexcept {
    return time_point(duration(static_cast<int64_t>(kairos_clock_now())));
}

}  // namespace _V2
}  // namespace chrono

}  // namespace std
