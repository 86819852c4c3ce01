// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.socket.LocalConnection;
import org.virtio4j.os.socket.LocalListener;

/**
 * Serves one client after the other, on one platform thread, from the start to the close. Whatever a client, the
 * function or a listener does ends the turn of that client alone.
 *
 * <p>Any thread but the serving one may call.
 */
final class ClientTurns implements AutoCloseable {

    private static final long PAUSE_NANOS = 100_000_000;

    private final LocalListener listener;
    private final VfioUserOptions options;
    private final SocketCounters counters;

    /** Guards what follows. */
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable LocalConnection current;
    private @Nullable ClientSession client;
    private @Nullable Thread server;
    private boolean started;

    private volatile boolean closing;

    /** The listener is closed with this. */
    ClientTurns(LocalListener listener, VfioUserOptions options, SocketCounters counters) {
        this.listener = listener;
        this.options = options;
        this.counters = counters;
    }

    /** Starts the thread; false if it was started or closed before. */
    boolean start(String name, CommandDispatcher service) {
        lock.lock();
        try {
            if (started || closing) {
                return false;
            }
            started = true;
            server = Thread.ofPlatform().name(name).start(() -> serve(service));
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Cuts the client off and returns when the thread has ended. */
    @Override
    public void close() {
        Thread thread;
        lock.lock();
        try {
            closing = true;
            listener.shutdown();
            if (current != null) {
                current.shutdown();
            }
            thread = server;
        } finally {
            lock.unlock();
        }
        if (thread == null) {
            listener.close();
        } else {
            join(thread);
        }
    }

    /** Whether a client is being served. */
    boolean connected() {
        lock.lock();
        try {
            return current != null;
        } finally {
            lock.unlock();
        }
    }

    /** Whether the client that is being served has shaken hands. */
    boolean greeted() {
        lock.lock();
        try {
            return client != null && client.shookHands();
        } finally {
            lock.unlock();
        }
    }

    private void serve(CommandDispatcher service) {
        try (Arena arena = Arena.ofConfined(); listener) {
            RequestMessage request = new RequestMessage(arena);
            ReplyMessage reply = new ReplyMessage(arena);
            while (!closing) {
                try {
                    serveNext(service, request, reply);
                } catch (IOException refused) {
                    failed(refused);
                } catch (RuntimeException | Error mistake) {
                    failed(mistake);
                }
            }
        }
    }

    /** No client can be served for the moment, for example because the process has too much open; or this closes. */
    private void failed(Throwable why) {
        if (!closing) {
            counters.failed(why);
            clearInterrupt();
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private void serveNext(CommandDispatcher service, RequestMessage request, ReplyMessage reply) throws IOException {
        try (LocalConnection connection = listener.accept()) {
            ClientSession next = new ClientSession(connection, service, request, reply, options);
            if (enter(connection, next)) {
                serve(next, service);
            }
        }
    }

    /** Whatever comes out of the function or of a listener ends this client alone. */
    private void serve(ClientSession guest, CommandDispatcher service) {
        try {
            guest.serve();
        } catch (IOException broken) {
            // A client that leaves in mid-message has left all the same.
        } catch (RuntimeException | Error mistake) {
            // Memory that was cut short is not among it: that is the device's to tell, by its need of a reset.
            counters.failed(mistake);
        } finally {
            clearInterrupt();
            try {
                if (guest.shookHands()) {
                    service.endClient();
                }
            } finally {
                leave();
            }
        }
    }

    /**
     * Clears the interrupt status of this thread, which a function or a listener may have set. It would end the waits
     * of a reset, and close the files in which the reset finishes its work.
     */
    private static void clearInterrupt() {
        Thread.interrupted();
    }

    private boolean enter(LocalConnection connection, ClientSession next) {
        lock.lock();
        try {
            if (closing) {
                return false;
            }
            current = connection;
            client = next;
            counters.connected();
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void leave() {
        lock.lock();
        try {
            current = null;
            client = null;
        } finally {
            lock.unlock();
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
