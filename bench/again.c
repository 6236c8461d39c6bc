/* Many keep-alive readers that ask again at once: the same client for every server that is measured.

     again [-z] PORT COUNT SECONDS PATH...

   Opens COUNT connections to 127.0.0.1, spread evenly over SECONDS. Each sends a GET of its PATH as soon as it is
   connected (reader n has the n-th PATH, and again from the first), and behind each answer at once the next request: of
   the path that the body gives as "next", or, where it gives none, of the same path with the answer's Last-Modified and
   Etag, which is how nchan counts. -z: answers are accepted in gzip, and decoded.

   Prints "asked" once everybody has sent the first request. At the end of its standard input it prints a line
   "ANSWERS CLOSED ERRORS": the answers read, the connections that the server ended, and the answers other than 200; then
   a line "READER NANOSECONDS SCORE" for each time a reader saw a higher "home_score" than before, and ends. Link with
   -lz. Linux only. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* One source address has 28,000 ports for one destination (net.ipv4.ip_local_port_range), of which the kernel prefers one
   half, and searches the longer the more of them are taken. */
#define PER_ADDRESS 4000
#define EVENTS 4096
#define ANSWER_MOST 65536
#define REQUEST_MOST 1024
#define RECORDS_MOST 4000000
/* Between two looks for answers. A client woken for each answer by itself would charge the server with the wake-up of
   another core a send, which clients elsewhere do not cost (bench/crowd.py has the figures). */
#define LOOK_NS 1000000

struct reader {
    int fd, connected;
    long score;
    size_t kept_size;
    char *kept; /* the beginning of an answer of which the rest has not come */
};

struct record {
    int reader;
    long long ns; /* since 1970 */
    long score;
};

static int epoll, port;
static char **paths;
static int path_count;
static const char *accept_encoding = "";
static struct reader *readers;
static struct record *records;
static size_t record_count;
static long answers, closed, errors;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static long long now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void watch(struct reader *reader, int operation, unsigned events)
{
    struct epoll_event event = {.events = events, .data.ptr = reader};
    if (epoll_ctl(epoll, operation, reader->fd, &event))
        fail("epoll_ctl");
}

static void open_connection(struct reader *reader, int index)
{
    int yes = 1;
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
    from.sin_addr.s_addr = htonl(0x7f000101 + index / PER_ADDRESS);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    reader->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (reader->fd < 0)
        fail("socket");
    /* ip(7): the port is chosen for its destination, so that earlier readers' ports are in nobody's way. */
    setsockopt(reader->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(reader->fd, (struct sockaddr *)&from, sizeof from))
        fail("bind");
    if (connect(reader->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        fail("connect");
    watch(reader, EPOLL_CTL_ADD, EPOLLOUT);
}

static void close_connection(struct reader *reader)
{
    close(reader->fd);
    closed++;
}

static void ask(struct reader *reader, const char *where, size_t where_size, const char *position)
{
    char request[REQUEST_MOST];
    int size = snprintf(request, sizeof request, "GET %.*s HTTP/1.1\r\nHost: scores.example\r\n%s%s\r\n",
                        (int)where_size, where, accept_encoding, position);
    if (size >= REQUEST_MOST || send(reader->fd, request, size, MSG_NOSIGNAL) != size)
        close_connection(reader);
}

/* The value of a header field, "" where it is not there; `head` begins with a line break. */
static void field(const char *head, const char *name, char *value, size_t most)
{
    const char *start = strcasestr(head, name);
    value[0] = 0;
    if (start) {
        start += strlen(name);
        size_t size = strcspn(start, "\r");
        if (size < most) {
            memcpy(value, start, size);
            value[size] = 0;
        }
    }
}

static const char *path_of(const struct reader *reader)
{
    return paths[(reader - readers) % path_count];
}

static void ask_again(struct reader *reader, const char *head, const char *body)
{
    char modified[64], etag[128], position[256];
    const char *next = strstr(body, "\"next\":\"");
    if (next) {
        next += strlen("\"next\":\"");
        ask(reader, next, strcspn(next, "\""), "");
        return;
    }
    field(head, "\r\nLast-Modified: ", modified, sizeof modified);
    field(head, "\r\nEtag: ", etag, sizeof etag);
    snprintf(position, sizeof position, "If-Modified-Since: %s\r\nIf-None-Match: %s\r\n", modified, etag);
    ask(reader, path_of(reader), strlen(path_of(reader)), position);
}

/* The text of a gzip body; "" where it is none. */
static const char *decoded(char *body, size_t size)
{
    static char text[ANSWER_MOST + 1];
    static z_stream stream;
    static int is_ready;
    if (!is_ready && inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        fail("inflateInit2");
    is_ready = 1;
    inflateReset(&stream);
    stream.next_in = (Bytef *)body;
    stream.avail_in = size;
    stream.next_out = (Bytef *)text;
    stream.avail_out = ANSWER_MOST;
    text[inflate(&stream, Z_FINISH) == Z_STREAM_END ? ANSWER_MOST - stream.avail_out : 0] = 0;
    return text;
}

static void record_score(struct reader *reader, const char *body)
{
    const char *start = strstr(body, "\"home_score\":");
    long score = start ? strtol(start + strlen("\"home_score\":"), NULL, 10) : 0;
    if (score > reader->score && record_count < RECORDS_MOST)
        records[record_count++] = (struct record){reader - readers, now_ns(CLOCK_REALTIME), score};
    if (score > reader->score)
        reader->score = score;
}

/* The chunks of a body put together in their place (RFC 9112, 7.1); the size of it, or -1 where the end has not come.
   Until then nothing is moved: the same bytes are looked at again when more have come. */
static long joined(char *body, size_t size)
{
    char *at = body, *end = body + size;
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        size_t total = 0;
        at = body;
        for (size_t chunk = 1; chunk; at += chunk + 2) {
            char *line = memmem(at, end - at, "\r\n", 2);
            if (!line)
                return -1;
            chunk = strtoul(at, NULL, 16);
            at = line + 2;
            if ((size_t)(end - at) < chunk + 2)
                return -1;
            if (is_whole)
                memmove(body + total, at, chunk);
            total += chunk;
        }
        if (is_whole)
            return total;
    }
    return -1;
}

/* Whether `answer`, which ends with a zero byte, is whole; then it is recorded and followed by the next request. */
static int take(struct reader *reader, char *answer, size_t size)
{
    char length[16], encoding[16], transfer[16];
    char *end = strstr(answer, "\r\n\r\n");
    if (!end)
        return 0;
    char *body = end + 4;
    *end = 0;
    field(answer, "\r\nContent-Length: ", length, sizeof length);
    field(answer, "\r\nTransfer-Encoding: ", transfer, sizeof transfer);
    size_t received = size - (body - answer);
    long body_size = *transfer ? joined(body, received) : (long)strtoul(length, NULL, 10);
    if (body_size < 0 || received < (size_t)body_size) {
        *end = '\r';
        return 0;
    }
    if (*transfer)
        body[body_size] = 0;
    answers++;
    errors += strncmp(answer, "HTTP/1.1 200 ", 13) != 0;
    field(answer, "\r\nContent-Encoding: ", encoding, sizeof encoding);
    const char *text = strcmp(encoding, "gzip") ? body : decoded(body, body_size);
    record_score(reader, text);
    ask_again(reader, answer, text);
    return 1;
}

static void hear(struct reader *reader)
{
    static char answer[ANSWER_MOST + 1];
    size_t kept_size = reader->kept_size;
    if (kept_size)
        memcpy(answer, reader->kept, kept_size);
    ssize_t size = recv(reader->fd, answer + kept_size, ANSWER_MOST - kept_size, 0);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0) {
        close_connection(reader);
        return;
    }
    size += kept_size;
    answer[size] = 0;
    free(reader->kept);
    reader->kept = NULL;
    reader->kept_size = 0;
    if (!take(reader, answer, size)) {
        reader->kept = malloc(size);
        memcpy(reader->kept, answer, size);
        reader->kept_size = size;
    }
}

/* How many sent their first request. */
static int look(void)
{
    static struct epoll_event events[EVENTS];
    int first = 0, count = epoll_wait(epoll, events, EVENTS, 0);
    for (int n = 0; n < count; n++) {
        struct reader *reader = events[n].data.ptr;
        if (reader->connected) {
            hear(reader);
            continue;
        }
        reader->connected = 1;
        watch(reader, EPOLL_CTL_MOD, EPOLLIN);
        ask(reader, path_of(reader), strlen(path_of(reader)), "");
        first++;
    }
    return first;
}

static int is_told_to_end(void)
{
    char byte;
    struct pollfd input = {.fd = 0, .events = POLLIN};
    return poll(&input, 1, 0) > 0 && read(0, &byte, 1) <= 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "-z")) {
        accept_encoding = "Accept-Encoding: gzip\r\n";
        argc--;
        argv++;
    }
    if (argc < 5) {
        fprintf(stderr, "usage: again [-z] PORT COUNT SECONDS PATH...\n");
        return 2;
    }
    port = atoi(argv[1]);
    int count = atoi(argv[2]), opened = 0, first = 0;
    double spread_ns = atof(argv[3]) * 1e9;
    paths = argv + 4;
    path_count = argc - 4;
    raise_file_limit();
    epoll = epoll_create1(0);
    records = malloc(RECORDS_MOST * sizeof *records);
    readers = calloc(count, sizeof *readers);
    long long began = now_ns(CLOCK_MONOTONIC);
    while (!is_told_to_end()) {
        double share = spread_ns ? (now_ns(CLOCK_MONOTONIC) - began) / spread_ns : 1;
        while (opened < count && opened < share * count) {
            open_connection(&readers[opened], opened);
            opened++;
        }
        int more = look();
        first += more;
        if (more && first == count) {
            puts("asked");
            fflush(stdout);
        }
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    }
    printf("%ld %ld %ld\n", answers, closed, errors);
    for (size_t n = 0; n < record_count; n++)
        printf("%d %lld %ld\n", records[n].reader, records[n].ns, records[n].score);
    return 0;
}
