// What libc asks of a process.
#include <kairos/kairos.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

constexpr int kSignalExit = 128;  // the exit code of a signal, as shells count

}  // namespace

extern "C" {

// The id of the process as an object.
pid_t getpid() {
    kairos_info_basic info;
    const kairos_status_t status =
        kairos_object_info(kairos_self_process(), KAIROS_INFO_BASIC, &info, sizeof(info));
    return status < 0 ? 1 : static_cast<pid_t>(info.id);
}

// There are no signals but those that libc's raise handles itself. What is left to this one, of
// abort among others, ends the program.
int kill(pid_t pid, int signal) {
    if (pid != getpid()) {
        errno = ESRCH;
        return -1;
    }
    if (signal == 0) return 0;
    kairos_process_exit(kSignalExit + signal);
}

int sigprocmask(int, const sigset_t*, sigset_t*) {
    errno = ENOSYS;
    return -1;
}

// There is no source of randomness to draw from, and nothing is better than something guessable.
int getentropy(void*, size_t) {
    errno = ENOSYS;
    return -1;
}

}  // extern "C"
