// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import org.virtio4j.os.Errno;
import org.virtio4j.os.socket.LocalConnection;
import org.virtio4j.wire.vfiouser.Command;
import org.virtio4j.wire.vfiouser.MessageHeader;

/**
 * One client from its first message to its last. Each request is carried out before the next is looked at, and answered
 * with a result or an error number; nothing a client sends ends more than its own connection.
 */
final class ClientSession {

    private final LocalConnection connection;
    private final CommandDispatcher service;
    private final RequestMessage request;
    private final ReplyMessage reply;
    private final VfioUserOptions options;
    private final Handshake handshake = new Handshake();

    ClientSession(LocalConnection connection, CommandDispatcher service, RequestMessage request, ReplyMessage reply,
            VfioUserOptions options) {
        this.connection = connection;
        this.service = service;
        this.request = request;
        this.reply = reply;
        this.options = options;
    }

    /**
     * Serves until the client leaves.
     *
     * @throws IOException if the connection breaks
     */
    void serve() throws IOException {
        try {
            while (request.receive(connection)) {
                options.received().run();
                if (request.type() != MessageHeader.TYPE_REPLY) {
                    answer();
                }
                if (request.isLast() || handshake.isHopeless()) {
                    return;
                }
                request.skip(connection);
                request.closeDescriptors();
            }
        } finally {
            request.closeDescriptors();
        }
    }

    /**
     * Whether the client came far enough to change anything. One that only looks whether a server listens does not. Any
     * thread.
     */
    boolean shookHands() {
        return handshake.isDone();
    }

    private void answer() throws IOException {
        int errno = carryOut();
        String reason = reply.takeReason();
        if (errno != 0) {
            service.counters().refused();
        }
        if (request.wantsReply()) {
            reply.send(connection, request, errno);
        }
        if (errno != 0) {
            tellOfRefusal(errno, reason);
        }
    }

    /** The listener's mistakes are not the client's. */
    private void tellOfRefusal(int errno, String reason) {
        try {
            options.refusals().refused(Command.name(request.command()), Errno.symbol(errno),
                    reason.isEmpty() ? usualReason(errno) : reason);
        } catch (RuntimeException | Error mistake) {
            service.counters().failed(mistake);
        }
    }

    private static String usualReason(int errno) {
        return switch (errno) {
            case Errno.EINVAL -> "the device has nothing at what the message names, or its fields make no sense";
            case Errno.EOPNOTSUPP -> "this command is not supported";
            case Errno.EMSGSIZE -> "the message is longer than any that there is a use for";
            default -> Errno.name(errno);
        };
    }

    /** A mistake in a device is answered as a device that fails: a virtual CPU waits for the answer. */
    private int carryOut() {
        if (!request.isSizeValid() || request.type() != MessageHeader.TYPE_COMMAND) {
            return reply.refuse(Errno.EINVAL, "the message has no valid header");
        }
        if (!request.isWhole()) {
            return request.isLast() ? reply.refuse(Errno.EMSGSIZE, "the message is longer than the protocol has, so"
                    + " that the client is cut off") : Errno.EMSGSIZE;
        }
        if (request.command() == Command.VERSION) {
            return handshake.version(request, reply);
        }
        if (!handshake.isDone()) {
            return reply.refuse(Errno.EINVAL, "the first message must be VERSION");
        }
        try {
            return service.carryOut(request, reply);
        } catch (RuntimeException mistake) {
            service.counters().failed(mistake);
            return reply.refuse(Errno.EIO, "the device threw " + mistake);
        }
    }
}
