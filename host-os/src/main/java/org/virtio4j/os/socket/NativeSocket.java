// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.NativeCall;
import org.virtio4j.os.NativeFailureException;

/**
 * A socket's number, and the one call that other threads may make on it. A thread that is blocked in a native call does
 * not notice an interrupt, so another thread shuts the socket down to get it back.
 */
final class NativeSocket implements AutoCloseable {

    private final int number;
    private boolean closed;

    NativeSocket(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    /** Not synchronized with the calls it ends; with {@link #close} it is, or it could hit the number's next owner. */
    synchronized void shutdown() {
        if (closed) {
            return;
        }
        try {
            // ENOTCONN, the one thing it can complain of, means that there is nothing to end.
            int ignored = (int) Calls.SHUTDOWN.invokeExact(NativeCall.state(), number, SocketLayout.SHUT_RDWR);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Descriptor.release(number);
        }
    }

    /** The socket calls of the C library. */
    static final class Calls {

        static final MethodHandle SOCKET = NativeCall.link("socket", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        static final MethodHandle FCHMOD = NativeCall.link("fchmod",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        static final MethodHandle BIND = NativeCall.link("bind", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        static final MethodHandle LISTEN = NativeCall.link("listen",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        static final MethodHandle ACCEPT = NativeCall.link("accept4", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        static final MethodHandle RECVMSG = NativeCall.link("recvmsg", FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        static final MethodHandle SEND = NativeCall.link("send", FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        static final MethodHandle SHUTDOWN = NativeCall.link("shutdown",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

        private Calls() {
        }

        /** Of calls that give -1 when they fail. */
        static int check(String what, int result) throws NativeFailureException {
            if (result < 0) {
                throw new NativeFailureException(what, NativeCall.errno());
            }
            return result;
        }

    }
}
