// Starting programs. Nothing is taken from the caller before the last step that can fail:
//
//     check the gifts, find and check the file
//     make the process, load the program, make stack and thread
//     send the first startup message, with handles that are all made here
//     start the process, its thread suspended
//     move the gifts: one message, all or nothing; let the thread go
//
// Until the last step everything that exists is owned by an object here, and goes when it fails.
#include <kairos/kairos.h>

#include <cstring>

#include "gifts.hpp"
#include "loader.hpp"
#include "program.hpp"
#include "startup_message.hpp"

namespace kairos::internal {

namespace {

constexpr kairos_rights_t kImageRights =
    KRIGHT_READ | KRIGHT_MAP | KRIGHT_EXECUTE | KRIGHT_DUPLICATE | KRIGHT_TRANSFER;

struct Channel {
    Handle ours;
    Handle childs;

    kairos_status_t create() {
        kairos_handle_t ends[2];
        const kairos_status_t status = kairos_channel_create(0, &ends[0], &ends[1]);
        if (status < 0) return status;
        ours.reset(ends[0]);
        childs.reset(ends[1]);
        return 0;
    }
};

kairos_status_t check_budget(kairos_handle_t budget) {
    if (budget == KAIROS_HANDLE_INVALID) return 0;
    kairos_info_basic info;
    const kairos_status_t status =
        kairos_object_info(budget, KAIROS_INFO_BASIC, &info, sizeof(info));
    if (status < 0) return status;
    if (info.type != KOBJ_TYPE_BUDGET) return -ENOTSUP;
    return (info.rights & KRIGHT_WRITE) != 0 ? 0 : -EACCES;
}

class Spawner {
  public:
    Spawner(const char* path, char* const argv[]) : path_(path), argv_(argv) {}

    kairos_status_t check(kairos_handle_t budget, std::span<const kairos_spawn_handle> give);
    kairos_status_t find_program();
    kairos_status_t make_process(const kairos_spawn_options& options);
    kairos_status_t start();

    kairos_handle_t release_process() { return process_.release(); }

  private:
    bool is_self() const { return std::strcmp(path_, "self") == 0; }
    const char* name() const;
    bool is_alone_in_memory() const;
    kairos_status_t choose_image();
    kairos_status_t copy_image();
    kairos_status_t fill_message();
    kairos_status_t check_start_room() const;
    kairos_status_t hand_over(kairos_handle_t channel);
    kairos_status_t give_up(kairos_status_t status);

    const char* path_;
    char* const* argv_;
    Gifts gifts_;
    StartupMessage message_;
    FileView file_;
    Handle image_;  // what the program is mapped from, and what the child gets as its SELF_IMAGE
    ElfFile program_;
    Handle process_;
    Handle space_;
    Handle thread_;
    kairos_startup startup_ = {};
};

kairos_status_t Spawner::check(kairos_handle_t budget, std::span<const kairos_spawn_handle> give) {
    kairos_status_t status = message_.set_arguments(argv_);
    if (status < 0) return status;
    status = check_budget(budget);
    if (status < 0) return status;
    return gifts_.check(give);
}

// The last part of the path; what calls itself "self" is known by its arguments.
const char* Spawner::name() const {
    const char* name = is_self() ? argv_[0] : path_;
    const char* slash = std::strrchr(name, '/');
    return slash != nullptr ? slash + 1 : name;
}

kairos_status_t Spawner::find_program() {
    kairos_status_t status = 0;
    if (is_self()) {
        const ProgramImage own = own_image();
        file_ = {own.memory, own.offset, own.size};
    } else {
        status = find_in_archive(kairos_bootstrap(KAIROS_BOOT_ARCHIVE), path_, file_);
    }
    if (status < 0) return status;
    status = program_.open(file_);
    if (status < 0) return status;
    return choose_image();
}

// Whether the file's memory has nothing in it but the file.
bool Spawner::is_alone_in_memory() const {
    kairos_info_memory info;
    if (kairos_object_info(file_.memory, KAIROS_INFO_MEMORY, &info, sizeof(info)) < 0) return false;
    return file_.offset == 0 && info.size < file_.size + KAIROS_PAGE_SIZE;
}

// A child that shall not have the archive must not get it by way of its image either: it gets a
// copy of its own file.
kairos_status_t Spawner::choose_image() {
    const bool has_archive =
        !gifts_.decide_archive() && kairos_bootstrap(KAIROS_BOOT_ARCHIVE) != KAIROS_HANDLE_INVALID;
    if (!has_archive && !is_alone_in_memory()) return copy_image();
    kairos_handle_t image = KAIROS_HANDLE_INVALID;
    const kairos_status_t status = kairos_handle_duplicate(file_.memory, kImageRights, &image);
    if (status < 0) return status;
    image_.reset(image);
    return 0;
}

kairos_status_t Spawner::copy_image() {
    kairos_handle_t value = KAIROS_HANDLE_INVALID;
    kairos_status_t status = kairos_memory_create(file_.size, 0, &value);
    if (status < 0) return status;
    image_.reset(value);
    status = copy_file(file_, 0, file_.size, value, 0);
    if (status < 0) return status == -EINVAL ? -ENOEXEC : status;
    status = kairos_cap_rights_limit(value, kImageRights);
    if (status < 0) return status;
    file_ = {value, 0, file_.size};
    return 0;
}

kairos_status_t Spawner::make_process(const kairos_spawn_options& options) {
    const kairos_handle_t budget = options.budget;
    kairos_handle_t process = KAIROS_HANDLE_INVALID;
    kairos_handle_t space = KAIROS_HANDLE_INVALID;
    kairos_status_t status = kairos_process_create(name(), budget, &process, &space);
    if (status < 0) return status;
    process_.reset(process);
    space_.reset(space);
    if (options.priority_ceiling != KPRIORITY_MAX) {
        status = kairos_process_set_priority_ceiling(process, options.priority_ceiling);
        if (status < 0) return status;
    }

    startup_.stack_size = KAIROS_STACK_SIZE;
    status = place_program(program_, space, budget, KAIROS_STACK_SIZE, &startup_.stack_base);
    if (status < 0) return status;
    status = load_program(program_, file_, space, budget);
    if (status < 0) return status;

    kairos_handle_t thread = KAIROS_HANDLE_INVALID;
    status = kairos_thread_create(process, "main", &thread);
    if (status < 0) return status;
    thread_.reset(thread);
    return 0;
}

kairos_status_t Spawner::fill_message() {
    kairos_status_t status = message_.add_duplicate(KAIROS_BOOT_SELF_PROCESS, process_.get());
    if (status < 0) return status;
    status = message_.add_duplicate(KAIROS_BOOT_SELF_THREAD, thread_.get());
    if (status < 0) return status;
    message_.add(KAIROS_BOOT_SELF_ASPACE, std::move(space_));
    message_.add(KAIROS_BOOT_SELF_IMAGE, std::move(image_));
    startup_.image_offset = file_.offset;
    startup_.image_size = file_.size;
    const kairos_handle_t archive = kairos_bootstrap(KAIROS_BOOT_ARCHIVE);
    if (gifts_.decide_archive() || archive == KAIROS_HANDLE_INVALID) return 0;
    return message_.add_duplicate(KAIROS_BOOT_ARCHIVE, archive);
}

kairos_status_t Spawner::start() {
    Channel channel;
    kairos_status_t status = channel.create();
    if (status < 0) return status;
    status = fill_message();
    if (status < 0) return status;
    status = message_.send(channel.ours.get(), startup_, gifts_);
    if (status < 0) return status;
    status = check_start_room();
    if (status < 0) return status;
    // Without gifts nothing can fail once it runs.
    if (gifts_.count() != 0) status = kairos_thread_suspend(thread_.get());
    if (status < 0) return status;
    const uint64_t stack_top = startup_.stack_base + startup_.stack_size;
    status = kairos_process_start(process_.get(), thread_.get(), program_.entry(), stack_top,
                                  channel.childs.get(), 0);
    if (status < 0) return status;
    static_cast<void>(channel.childs.release());
    return gifts_.count() != 0 ? hand_over(channel.ours.get()) : 0;
}

// What the start code touches is charged as it is touched, when nobody is left to return an error
// to. So there has to be room for it now.
kairos_status_t Spawner::check_start_room() const {
    kairos_info_budget budget;
    const kairos_status_t status =
        kairos_object_info(process_.get(), KAIROS_INFO_BUDGET, &budget, sizeof(budget));
    if (status < 0) return status;
    const uint64_t needed = KAIROS_START_ROOM + message_.stack_bytes();
    return budget.limit - budget.used >= needed ? 0 : -EDQUOT;
}

// The child has not run yet: whether it gets its gifts does not depend on what it does.
kairos_status_t Spawner::hand_over(kairos_handle_t channel) {
    const kairos_status_t status = gifts_.send(channel);
    if (status < 0) return give_up(status);
    return kairos_thread_resume(thread_.get());
}

// When this returns the process is gone.
kairos_status_t Spawner::give_up(kairos_status_t status) {
    kairos_process_kill(process_.get(), status);
    uint32_t ready = 0;
    while (kairos_object_wait(process_.get(), 0, KAIROS_TIME_INFINITE, &ready) == -EINTR) {}
    return status;
}

}  // namespace

}  // namespace kairos::internal

using namespace kairos::internal;

extern "C" {

kairos_status_t kairos_spawn_with(const kairos_spawn_options* options, const char* path,
                                  char* const argv[], const kairos_spawn_handle* give, size_t n,
                                  kairos_handle_t* process) {
    constexpr kairos_spawn_options kUsual = {KAIROS_HANDLE_INVALID, KPRIORITY_MAX};
    if (options == nullptr) options = &kUsual;
    if (path == nullptr || argv == nullptr || (give == nullptr && n != 0)) return -EFAULT;
    if (argv[0] == nullptr || n > KAIROS_BOOT_COUNT) return -EINVAL;
    if (options->priority_ceiling > KPRIORITY_MAX) return -EINVAL;
    Spawner spawner(path, argv);
    kairos_status_t status = spawner.check(options->budget, {give, n});
    if (status < 0) return status;
    status = spawner.find_program();
    if (status < 0) return status;
    status = spawner.make_process(*options);
    if (status < 0) return status;
    status = spawner.start();
    if (status < 0) return status;
    if (process != nullptr) *process = spawner.release_process();
    return 0;
}

kairos_status_t kairos_spawn_in(kairos_handle_t budget, const char* path, char* const argv[],
                                const kairos_spawn_handle* give, size_t n,
                                kairos_handle_t* process) {
    const kairos_spawn_options options = {budget, KPRIORITY_MAX};
    return kairos_spawn_with(&options, path, argv, give, n, process);
}

kairos_status_t kairos_spawn(const char* path, char* const argv[], const kairos_spawn_handle* give,
                             size_t n, kairos_handle_t* process) {
    return kairos_spawn_with(nullptr, path, argv, give, n, process);
}

}  // extern "C"
