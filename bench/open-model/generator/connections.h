/* The clients: keep-alive connections with at most one request in flight each. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX 2048

typedef enum { CONNECTING, FREE, BUSY } ConnectionState;

typedef struct {
  int fd;
  ConnectionState state;
  int phase;
  int64_t intended_ns;
  int64_t sent_ns;
  int length;
  char answer[ANSWER_BYTES_MAX + 1];
} Connection;

typedef struct {
  Connection *all;
  int count;
  /* A ring of the free ones, the longest free first, so that all are used, as by many clients. */
  int *free_ring;
  int free_head;
  int free_count;
  int epoll;
  struct sockaddr_in address;
} Connections;

static void die(const char *what) {
  fprintf(stderr, "open-load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void dial(Connections *connections, int index) {
  Connection *connection = &connections->all[index];
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket (raise `ulimit -n`, or use fewer connections)");
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, (struct sockaddr *)&connections->address, sizeof connections->address) < 0 &&
      errno != EINPROGRESS)
    die("connect");
  connection->fd = fd;
  connection->state = CONNECTING;
  connection->length = 0;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = (uint32_t)index};
  if (epoll_ctl(connections->epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static void release(Connections *connections, int index) {
  connections->all[index].state = FREE;
  connections->all[index].length = 0;
  int end = connections->free_head + connections->free_count++;
  connections->free_ring[end % connections->count] = index;
}

static int take_free(Connections *connections) {
  int index = connections->free_ring[connections->free_head];
  connections->free_head = (connections->free_head + 1) % connections->count;
  connections->free_count--;
  return index;
}

/* A free connection that the server has closed. Rare, so a search is fast enough. */
static void remove_free(Connections *connections, int index) {
  for (int left = connections->free_count; left > 0; left--) {
    int other = take_free(connections);
    if (other != index) release(connections, other);
  }
}

/* @return false if the connection failed */
static bool finish_dial(Connections *connections, int index) {
  Connection *connection = &connections->all[index];
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return false;
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
  if (epoll_ctl(connections->epoll, EPOLL_CTL_MOD, connection->fd, &event) < 0) die("epoll_ctl");
  release(connections, index);
  return true;
}

static void redial(Connections *connections, int index) {
  close(connections->all[index].fd);
  dial(connections, index);
}

static void open_connections(Connections *connections, const char *host, int port, int count) {
  connections->count = count;
  connections->all = calloc((size_t)count, sizeof(Connection));
  connections->free_ring = calloc((size_t)count, sizeof(int));
  connections->epoll = epoll_create1(0);
  if (!connections->all || !connections->free_ring || connections->epoll < 0) die("start");
  connections->address.sin_family = AF_INET;
  connections->address.sin_port = htons((uint16_t)port);
  if (inet_pton(AF_INET, host, &connections->address.sin_addr) != 1) die("host, an IPv4 address");
  for (int i = 0; i < count; i++) dial(connections, i);
}

/* @return the status of a complete response, 0 for an incomplete one, -1 for an invalid one */
static int parse_answer(const Connection *connection, const char **body, int *body_length) {
  const char *head_end = strstr(connection->answer, "\r\n\r\n");
  if (head_end == NULL) return connection->length >= ANSWER_BYTES_MAX ? -1 : 0;
  if (strncmp(connection->answer, "HTTP/1.1 ", 9) != 0) return -1;
  const char *line = connection->answer;
  while (line < head_end && strncasecmp(line, "\r\ncontent-length:", 17) != 0) line++;
  if (line >= head_end) return -1;
  *body_length = atoi(line + 17);
  *body = head_end + 4;
  if (*body_length < 0 || *body_length > ANSWER_BYTES_MAX) return -1;
  if (*body + *body_length > connection->answer + connection->length)
    return connection->length >= ANSWER_BYTES_MAX ? -1 : 0;
  return atoi(connection->answer + 9);
}
