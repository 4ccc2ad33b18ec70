/* relay: as little as can stand between two AMQP 0-9-1 clients, to see what a machine's sockets, scheduler and clients
 * take by themselves. It answers amqpload's methods without looking at them, hands every message to the one consumer
 * there is, and confirms once per chunk. No queues, no routing, no acknowledgements, no disk, no checks.
 *
 * Build:  cc -O2 -o relay relay.c
 * Usage:  relay PORT        listens on 127.0.0.1 until it is killed
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define INPUT (1 << 20)
#define METHOD(cls, method) ((uint32_t)(cls) << 16 | (method))
#define DELIVER_OCTETS 32

typedef struct { int fd; size_t have; int confirms; uint64_t published, acked; uint8_t in[INPUT]; } client;

static client *consumer;
static uint64_t delivered;
static uint8_t out[2 * INPUT];
static size_t queued;

static uint16_t get16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }
static uint8_t *put32(uint8_t *p, uint32_t v) { p[0] = v >> 24; p[1] = v >> 16; p[2] = v >> 8; p[3] = v; return p + 4; }
static uint8_t *put64(uint8_t *p, uint64_t v) { return put32(put32(p, v >> 32), v); }

static void fail(const char *what) { perror(what); exit(1); }

static void send_octets(int fd, const uint8_t *octets, size_t count) {
  while (count) {
    ssize_t sent = send(fd, octets, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return; /* it has gone: the next read says so */
    octets += sent; count -= sent;
  }
}

static void say(client *c, int channel, uint32_t method, const void *arguments, uint32_t size) {
  uint8_t frame[256] = {1, channel >> 8, channel};
  put32(put32(frame + 3, size + 4), method);
  memcpy(frame + 11, arguments, size);
  frame[11 + size] = 0xCE;
  send_octets(c->fd, frame, size + 12);
}

static void flush_deliveries(void) {
  if (queued && consumer) send_octets(consumer->fd, out, queued);
  queued = 0;
}

static void deliver_method(void) {
  if (queued > INPUT) flush_deliveries();
  uint8_t *p = out + queued;
  memcpy(p, "\1\0\1", 3);
  p = put32(put32(p + 3, DELIVER_OCTETS - 8), METHOD(60, 60));
  memcpy(p, "\1c", 2);
  p = put64(p + 2, ++delivered);
  memcpy(p, "\0\0\7relayed\xCE", 11); /* not redelivered; exchange, routing key */
  queued += DELIVER_OCTETS;
}

static void method_frame(client *c, int channel, uint32_t method) {
  switch (method) {
    case METHOD(10, 11): say(c, 0, METHOD(10, 30), "\x07\xff\0\2\0\0\0\0", 8); break;
    case METHOD(10, 40): say(c, 0, METHOD(10, 41), "", 1); break;
    case METHOD(20, 10): say(c, channel, METHOD(20, 11), "\0\0\0", 4); break;
    case METHOD(40, 10): say(c, channel, METHOD(40, 11), "", 0); break;
    case METHOD(50, 10): say(c, channel, METHOD(50, 11), "\1q\0\0\0\0\0\0\0", 10); break;
    case METHOD(50, 20): say(c, channel, METHOD(50, 21), "", 0); break;
    case METHOD(50, 40): say(c, channel, METHOD(50, 41), "\0\0\0", 4); break;
    case METHOD(60, 10): say(c, channel, METHOD(60, 11), "", 0); break;
    case METHOD(60, 20): consumer = c; delivered = 0; say(c, channel, METHOD(60, 21), "\1c", 2); break;
    case METHOD(60, 40): c->published++; deliver_method(); break;
    case METHOD(85, 10): c->confirms = 1; say(c, channel, METHOD(85, 11), "", 0); break;
    default: break; /* tune-ok and acknowledgements want no answer */
  }
}

static void confirm(client *c) {
  if (!c->confirms || c->acked == c->published) return;
  uint8_t arguments[9];
  *put64(arguments, c->acked = c->published) = 1;
  say(c, 1, METHOD(60, 80), arguments, sizeof arguments);
}

/* Handles all whole frames; what is left moves to the front. */
static void frames(client *c) {
  size_t at = 0;
  if (c->have >= 8 && !memcmp(c->in, "AMQP", 4)) {
    say(c, 0, METHOD(10, 10), "\0\x09\0\0\0\0\0\0\0\5PLAIN\0\0\0\5en_US", 24);
    at = 8;
  }
  while (c->have - at >= 7) {
    uint8_t *frame = c->in + at;
    size_t whole = get32(frame + 3) + 8u;
    if (c->have - at < whole) break;
    if (frame[0] == 1) method_frame(c, get16(frame + 1), get32(frame + 7));
    else if (frame[0] == 2 || frame[0] == 3) { memcpy(out + queued, frame, whole); queued += whole; }
    at += whole;
  }
  memmove(c->in, c->in + at, c->have -= at);
  flush_deliveries();
  confirm(c);
}

static int listening(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 64)) fail("relay: listen");
  return fd;
}

static void accepted(int poll, int listener) {
  client *c = calloc(1, sizeof *c);
  int one = 1;
  struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = c};
  if (!c || (c->fd = accept(listener, NULL, NULL)) < 0) fail("relay: accept");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &wanted);
}

int main(int argc, char **argv) {
  if (argc != 2) { fprintf(stderr, "usage: relay PORT\n"); return 2; }
  int listener = listening(atoi(argv[1])), poll = epoll_create1(0);
  struct epoll_event wanted = {.events = EPOLLIN}, ready;
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted);
  for (;;) {
    if (epoll_wait(poll, &ready, 1, -1) < 1) continue;
    client *c = ready.data.ptr;
    if (!c) { accepted(poll, listener); continue; }
    ssize_t got = recv(c->fd, c->in + c->have, INPUT - c->have, 0);
    if (got > 0) { c->have += got; frames(c); continue; }
    if (c == consumer) consumer = NULL;
    close(c->fd);
    free(c);
  }
}
