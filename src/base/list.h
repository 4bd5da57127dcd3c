// An intrusive doubly linked list. Elements embed a ListNode and belong to at most one list per
// node; the list owns nothing and allocates nothing. Whoever owns the list says which lock guards
// it and the nodes in it.
//
// A list that was never used is all zeros, so that static ones cost nothing in the image; it
// becomes a ring through its head with its first element.
#pragma once

#include <cstddef>

#include "base/assert.h"
#include "base/container_of.h"

struct ListNode {
    ListNode* next = nullptr;
    ListNode* previous = nullptr;

    bool linked() const { return next != nullptr; }
};

template <typename T, ListNode T::*kNode>
class List {
  public:
    constexpr List() = default;
    List(const List&) = delete;
    List& operator=(const List&) = delete;

    bool empty() const { return head_.next == nullptr || head_.next == &head_; }
    T* front() const { return empty() ? nullptr : element(head_.next); }
    T* back() const { return empty() ? nullptr : element(head_.previous); }
    T* after(T& item) const {
        ListNode* next = (item.*kNode).next;
        return next == &head_ ? nullptr : element(next);
    }
    void push_back(T& item) {
        become_ring();
        insert_between(head_.previous, item, &head_);
    }
    void push_front(T& item) {
        become_ring();
        insert_between(&head_, item, head_.next);
    }
    void insert_after(T& position, T& item) {
        insert_between(&(position.*kNode), item, (position.*kNode).next);
    }
    T* pop_front() {
        T* item = front();
        if (item != nullptr) remove(*item);
        return item;
    }
    static void remove(T& item) {
        ListNode& node = item.*kNode;
        debug_check(node.linked(), "removed a node that is in no list");
        node.previous->next = node.next;
        node.next->previous = node.previous;
        node.next = node.previous = nullptr;
    }
    // Moves all elements of `other` behind this list's own.
    void splice_back(List& other) {
        if (other.empty()) return;
        become_ring();
        other.head_.next->previous = head_.previous;
        head_.previous->next = other.head_.next;
        other.head_.previous->next = &head_;
        head_.previous = other.head_.previous;
        other.head_.next = other.head_.previous = &other.head_;
    }

  private:
    void become_ring() {
        if (head_.next == nullptr) head_.next = head_.previous = &head_;
    }
    void insert_between(ListNode* before, T& item, ListNode* behind) {
        ListNode& node = item.*kNode;
        debug_check(!node.linked(), "inserted a node that is in a list");
        node.previous = before;
        node.next = behind;
        before->next = &node;
        behind->previous = &node;
    }
    static T* element(ListNode* node) { return &container_of(*node, kNode); }

    ListNode head_;
};
