// What the device says of itself: kept, because to the server each connection is a new one, active and online.
import type { StatePacket } from "@parley/protocol";

export interface DeviceStateParts {
  publish(state: StatePacket): void;
  /** Subscribes to what is ephemeral, or leaves it. */
  listen(active: boolean): void;
}

export interface DeviceState {
  say(state: StatePacket): void;
  setOnline(online: boolean): void;
}

export function startDeviceState({ publish, listen }: DeviceStateParts): DeviceState {
  let said: StatePacket = {};
  return {
    say(state) {
      said = { ...said, ...state };
      if (state.active !== undefined) listen(state.active);
      publish(state);
    },
    setOnline(online) {
      if (online && Object.keys(said).length > 0) publish(said);
    },
  };
}
