// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An open descriptor of this process: memory or an eventfd that another process has sent, or a file. Any thread may
 * call any method. The number goes back to the system when {@link #close} was called and no other method is at work any
 * more, and not before: the system gives a free number to the next descriptor that is opened, and a late write would
 * hit that one.
 */
public final class Descriptor implements AutoCloseable {

    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int F_GET_SEALS = 1034;
    private static final int F_SEAL_SHRINK = 2;
    private static final int O_ACCMODE = 3;
    private static final int O_RDWR = 2;
    private static final int O_NONBLOCK = 0x800;
    private static final int AT_EMPTY_PATH = 0x1000;

    /** Of {@code struct statx}, which is laid out alike on every architecture. */
    private static final long STATX_BYTES = 256;
    private static final long STATX_MODE = 28;
    private static final long STATX_INO = 32;
    private static final long STATX_LENGTH = 40;
    private static final long STATX_DEV = 136;
    private static final int STATX_BASIC_STATS = 0x7ff;
    private static final int MODE_TYPE = 0xf000;

    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    /** Of {@code struct pollfd}. */
    private static final long POLL_BYTES = 8;
    private static final long POLL_EVENTS = 4;
    private static final short POLLOUT = 4;

    /** Of {@code preadv2}: what an eventfd and its flags cannot overrule. */
    private static final int RWF_NOWAIT = 8;

    /** In {@link #uses}: closed, the number goes back with the last use. */
    private static final int CLOSED = 1 << 30;

    private final int number;

    /** How many calls are at work, and {@link #CLOSED}. */
    private final AtomicInteger uses = new AtomicInteger();

    /** Who looks after this eventfd; null if nobody does. Written before anybody signals. */
    private @Nullable SignalGuard guard;

    /**
     * Takes a number over, and will give it back.
     *
     * @param number an open descriptor that nobody else closes
     */
    public Descriptor(int number) {
        this.number = number;
    }

    /**
     * Whether writing 8 bytes to it signals. An eventfd is the only thing without a file type that can be written; the
     * others refuse. Sets {@code O_NONBLOCK}, for the sender as well; if the sender takes that back and fills the
     * counter, a signal may wait for a second.
     *
     * @param watching looks after the eventfd from now on, until the descriptor is given back
     * @return true for an eventfd
     * @throws IOException if the system refuses to say
     */
    public boolean becomesSignal(SignalGuard watching) throws IOException {
        if (hasFileType()) {
            return false;
        }
        int flags = control(F_GETFL, 0);
        if (flags < 0 || control(F_SETFL, flags | O_NONBLOCK) < 0) {
            throw new NativeFailureException("fcntl(O_NONBLOCK)", NativeCall.errno());
        }
        if (guard == null) {
            guard = watching;
            watching.watch(this);
        }
        return true;
    }

    /**
     * Adds 1 to the counter of an eventfd, which wakes threads that wait for it. A counter that is full says all that
     * could be said, so that is no failure. Allocates nothing.
     *
     * @return false if the descriptor is closed
     */
    public boolean signal() {
        if (!begin()) {
            return false;
        }
        try {
            // EAGAIN is all that an eventfd can answer, and it means that the counter is full. It waits instead if the
            // sender has taken O_NONBLOCK back; SignalGuard ends that.
            long ignored = (long) Calls.WRITE.invokeExact(number, Calls.ONE, (long) Long.BYTES);
            return true;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        } finally {
            end();
        }
    }

    /**
     * What a descriptor is open on.
     *
     * @param identity equal for two descriptors exactly if both are open on the same file or memory
     * @param size     how long that is now, in bytes
     */
    public record Status(Identity identity, long size) {
    }

    /**
     * A file or memory, as the system knows it while it is open or mapped.
     *
     * @param device the file system
     * @param inode  the file in it
     */
    public record Identity(long device, long inode) {
    }

    /**
     * Which file or memory this is, and how long.
     *
     * @return as of now
     * @throws IOException if the system refuses to say
     */
    public Status status() throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment status = statx(call);
            return new Status(new Identity(status.get(U64, STATX_DEV), status.get(U64, STATX_INO)),
                    status.get(U64, STATX_LENGTH));
        }
    }

    /**
     * How long the file or memory is.
     *
     * @return bytes
     * @throws IOException if the system refuses to say
     */
    public long size() throws IOException {
        return status().size();
    }

    /**
     * Whether the descriptor is open for reading and writing, as a mapping that is to be written needs it.
     *
     * @return false also for what cannot be asked
     */
    public boolean isWritable() {
        int flags = control(F_GETFL, 0);
        return flags >= 0 && (flags & O_ACCMODE) == O_RDWR;
    }

    /**
     * Whether nobody can make the memory shorter any more ({@code F_SEAL_SHRINK}).
     *
     * @return false also for what cannot be sealed
     */
    public boolean isSealedAgainstShrinking() {
        int seals = control(F_GET_SEALS, 0);
        return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
    }

    /**
     * Whether this is an opened file, and which.
     *
     * @param file a path
     * @return true if it leads to the same file
     * @throws IOException if the system refuses to say, or there is no such file
     */
    public boolean isOf(Path file) throws IOException {
        Identity identity = status().identity();
        return identity.inode() == (long) Files.getAttribute(file, "unix:ino")
                && deviceNumber(identity.device()) == (long) Files.getAttribute(file, "unix:dev");
    }

    /**
     * What was opened.
     *
     * @return as of now
     * @throws NativeFailureException if the system refuses to say
     */
    public FileKind kind() throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            return FileKind.of(Short.toUnsignedInt(statx(call).get(U16, STATX_MODE)));
        }
    }

    /** As {@code makedev} puts together what statx gives apart: major in the low half, minor in the high one. */
    private static long deviceNumber(long majorAndMinor) {
        long major = Integer.toUnsignedLong((int) majorAndMinor);
        long minor = majorAndMinor >>> Integer.SIZE;
        return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32;
    }

    /** Gives the descriptor up. */
    @Override
    public void close() {
        int now = uses.getAndUpdate(count -> count | CLOSED);
        if (now == 0) {
            giveBack();
        }
    }

    /**
     * Empties the counter of an eventfd that is full, if somebody is at work in it, who may be waiting for room. None
     * of the calls waits, whatever the flags are.
     */
    void emptyIfFull() {
        if (!joinWork()) {
            return;
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment poll = call.allocate(POLL_BYTES, Integer.BYTES);
            poll.set(ValueLayout.JAVA_INT, 0, number);
            poll.set(ValueLayout.JAVA_SHORT, POLL_EVENTS, POLLOUT);
            if ((int) GuardCalls.POLL.invokeExact(poll, 1L, 0) == 0) {
                MemorySegment vector = call.allocate(IoVector.SIZE, Long.BYTES);
                vector.set(ValueLayout.ADDRESS, IoVector.BASE, call.allocate(ValueLayout.JAVA_LONG));
                vector.set(ValueLayout.JAVA_LONG, IoVector.LENGTH, Long.BYTES);
                long ignored = (long) GuardCalls.PREADV2.invokeExact(number, vector, 1, -1L, RWF_NOWAIT);
            }
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        } finally {
            end();
        }
    }

    /**
     * The number, for calls that the owner makes before it closes the descriptor.
     *
     * @return the number of an open descriptor
     */
    public int number() {
        return number;
    }

    /**
     * Closes a number that never became a descriptor.
     *
     * @param number an open descriptor of this process
     */
    public static void release(int number) {
        try {
            // Whatever the result: Linux has freed the number even where it reports an error.
            int ignored = (int) Calls.CLOSE.invokeExact(NativeCall.state(), number);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    /**
     * Keeps the number from going back to the system until {@link #end}.
     *
     * @return false if the descriptor was closed; then there is nothing to end
     */
    public boolean begin() {
        int count = uses.get();
        while ((count & CLOSED) == 0) {
            if (uses.compareAndSet(count, count + 1)) {
                return true;
            }
            count = uses.get();
        }
        return false;
    }

    /** Ends what {@link #begin} began. */
    public void end() {
        if (uses.decrementAndGet() == CLOSED) {
            giveBack();
        }
    }

    /** Keeps the number from going back, also of a closed descriptor; false if nobody is at work in it. */
    private boolean joinWork() {
        int count = uses.get();
        while ((count & ~CLOSED) != 0) {
            if (uses.compareAndSet(count, count + 1)) {
                return true;
            }
            count = uses.get();
        }
        return false;
    }

    private void giveBack() {
        if (guard != null) {
            guard.unwatch(this);
        }
        release(number);
    }

    private int control(int command, int argument) {
        try {
            return (int) Calls.FCNTL.invokeExact(NativeCall.state(), number, command, argument);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    private boolean hasFileType() throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            return (statx(call).get(U16, STATX_MODE) & MODE_TYPE) != 0;
        }
    }

    private MemorySegment statx(Arena call) throws NativeFailureException {
        MemorySegment result = call.allocate(STATX_BYTES, Long.BYTES);
        int failed;
        try {
            failed = (int) Calls.STATX.invokeExact(NativeCall.state(), number, call.allocateFrom(""),
                    AT_EMPTY_PATH, STATX_BASIC_STATS, result);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
        if (failed != 0) {
            throw new NativeFailureException("statx", NativeCall.errno());
        }
        return result;
    }

    /** Linked at the first call, so that a program without native access never gets here. */
    private static final class Calls {

        static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1);

        static final MethodHandle CLOSE = NativeCall.link("close",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        static final MethodHandle WRITE = NativeCall.linkQuietly("write", FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        static final MethodHandle FCNTL = NativeCall.linkVariadic("fcntl", 2, FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        static final MethodHandle STATX = NativeCall.link("statx", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS));
    }

    /** Apart, because not every C library has both. */
    private static final class GuardCalls {

        static final MethodHandle POLL = NativeCall.linkQuietly("poll", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        static final MethodHandle PREADV2 = NativeCall.linkQuietly("preadv2", FunctionDescriptor.of(
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
    }
}
