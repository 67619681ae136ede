/** What is announced to the client. Each has a test that proves it (test/debug). */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { exceptionFilters } from './breakpoints';

export const capabilities: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsEvaluateForHovers: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsRestartFrame: true,
  supportsGotoTargetsRequest: true,
  supportsCompletionsRequest: true,
  completionTriggerCharacters: ['.', ' ', '('],
  supportsExceptionFilterOptions: true,
  supportsExceptionInfoRequest: true,
  exceptionBreakpointFilters: exceptionFilters.map((row) => ({ ...row, default: false, supportsCondition: true })),
  supportTerminateDebuggee: true,
  supportsTerminateRequest: true,
  supportsReadMemoryRequest: true,
  supportsWriteMemoryRequest: true,
  supportsLoadedSourcesRequest: true,
  supportsCancelRequest: true,
};

/** Of a capture: it goes back, and cannot be changed. */
export const recordedCapabilities: DebugProtocol.Capabilities = {
  supportsStepBack: true,
  supportsSetVariable: false,
  supportsSetExpression: false,
  supportsRestartFrame: false,
  supportsGotoTargetsRequest: false,
  supportsWriteMemoryRequest: false,
};
