// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;

/** Tells the user, in words, what keeps a device or the client at its socket from working. */
public final class DeviceNotices implements DeviceListener {

    /** A client finds out what exists by asking for it; this answer is no problem. */
    private static final String NOT_THERE = "EOPNOTSUPP";
    private static final String QUESTION = "DEVICE_GET_";

    /** How commands without a name begin. A client can send many different ones, and they must be one kind. */
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
    public void commandRefused(String command, String errno, String reason) {
        if (!errno.equals(NOT_THERE) && !command.startsWith(QUESTION)) {
            String what = command.startsWith(NAMELESS) ? "command" : command;
            notices.tell(name + ": the client's " + what + " was refused", reason + " (" + errno + ")");
        }
    }

    /** The client removes memory that a device still uses, and waits for the device. */
    public void stalled(String holder, long waitedNanos) {
        notices.tell(name + ": its client waits for memory to be given back",
                holder + " still uses it after " + waitedNanos / NANOS_PER_MILLI + " ms");
    }

    /** A client is connected and has not sent its first message, or only a part of it. */
    public void mute(long waitedNanos) {
        notices.tell(name + ": a client keeps others waiting", "it has not said which protocol it speaks for "
                + waitedNanos / NANOS_PER_MILLI + " ms; end that client");
    }

    /** The guest hears that a request failed, but not why. */
    public void fileFailed(String reason, long requests) {
        notices.tell(name + ": the host could not read or write its file", reason, requests);
    }

    /** An exception came out of the device or its socket. */
    public void failed(Throwable mistake) {
        notices.tell(name + ": failed", mistake.toString());
    }
}
