// What picolibc calls to lock. A lock that could not be made is a null pointer, and locks nothing.
#include <kairos/kairos.h>
#include <stdlib.h>
#include <sys/lock.h>

#include "lock.h"

// Around setenv, mktime and others.
struct __lock __lock___libc_recursive_mutex = {KAIROS_RECURSIVE_MUTEX_INIT};

extern "C" {

void __retarget_lock_init_recursive(_LOCK_T* lock) {
    *lock = static_cast<_LOCK_T>(calloc(1, sizeof(**lock)));
}
void __retarget_lock_close_recursive(_LOCK_T lock) { free(lock); }
void __retarget_lock_acquire_recursive(_LOCK_T lock) {
    if (lock != nullptr) kairos_recursive_mutex_lock(&lock->mutex);
}
// Returns whether the lock was taken.
int __retarget_lock_try_acquire_recursive(_LOCK_T lock) {
    return lock == nullptr || kairos_recursive_mutex_try_lock(&lock->mutex) == 0;
}
void __retarget_lock_release_recursive(_LOCK_T lock) {
    if (lock != nullptr) kairos_recursive_mutex_unlock(&lock->mutex);
}

void __retarget_lock_init(_LOCK_T* lock) { __retarget_lock_init_recursive(lock); }
void __retarget_lock_close(_LOCK_T lock) { __retarget_lock_close_recursive(lock); }
void __retarget_lock_acquire(_LOCK_T lock) { __retarget_lock_acquire_recursive(lock); }
int __retarget_lock_try_acquire(_LOCK_T lock) {
    return __retarget_lock_try_acquire_recursive(lock);
}
void __retarget_lock_release(_LOCK_T lock) { __retarget_lock_release_recursive(lock); }

}  // extern "C"
