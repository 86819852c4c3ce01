// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.serve;

import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;

/** Puts into words what keeps one device, or the client at its socket, from working. */
public final class DeviceNotices implements DeviceListener {

    /** Asking what is not there is how a client finds out; it goes on without. */
    private static final String NOT_THERE = "EOPNOTSUPP";
    private static final String QUESTION = "DEVICE_GET_";

    /** What the protocol has no name for: a client could make a kind of each of many. */
    private static final String NAMELESS = "command ";

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Notices notices;
    private final String name;

    /** The name is what the user knows the device by. */
    public DeviceNotices(Notices notices, String name) {
        this.notices = notices;
        this.name = name;
    }

    @Override
    public void featuresRefused(String reason) {
        notices.tell(name + ": the driver was refused", reason);
    }

    @Override
    public void needsReset(String reason) {
        notices.tell(name + ": stands still until its driver resets it", reason);
    }

    @Override
    public void resetDelayed(long waitedNanos) {
        notices.tell(name + ": its reset waits for what it is doing elsewhere, such as in a file that hangs",
                "after " + waitedNanos / NANOS_PER_MILLI + " ms");
    }

    @Override
    public void resetCompleted(ResetKind kind) {
        // Nothing stands still.
    }

    /** A client's command was answered with an error; all three are words. */
    void commandRefused(String command, String errno, String reason) {
        if (!errno.equals(NOT_THERE) && !command.startsWith(QUESTION)) {
            String what = command.startsWith(NAMELESS) ? "command" : command;
            notices.tell(name + ": the client's " + what + " was refused", reason + " (" + errno + ")");
        }
    }

    /** The client takes memory away, which a device still uses after a while; the client waits. */
    void stalled(String holder, long waitedNanos) {
        notices.tell(name + ": its client waits for memory to be given back",
                holder + " still uses it after " + waitedNanos / NANOS_PER_MILLI + " ms");
    }

    /** A client is connected that does not begin to speak, or stopped in the middle of its first message. */
    void mute(long waitedNanos) {
        notices.tell(name + ": a client keeps others waiting", "it has not said which protocol it speaks for "
                + waitedNanos / NANOS_PER_MILLI + " ms; end that client");
    }

    /** The guest hears of input and output errors, but not of what the host said. */
    void fileFailed(String reason, long requests) {
        notices.tell(name + ": the host could not read or write its file", reason, requests);
    }

    /** An exception came out of the device or its socket. */
    public void failed(Throwable mistake) {
        notices.tell(name + ": failed", mistake.toString());
    }
}
