// The first step of a call: whose number was dialled, then the choice of language.
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import twilio from 'twilio';
import { parametersOf, refused, spoken, table } from './twilio-webhook.mjs';

export async function handler(event) {
  const parameters = parametersOf(event);
  if (!parameters) return refused;

  const { Item: number } = await table.send(
    new GetCommand({ TableName: process.env.TABLE_DIRECTORY, Key: { pk: `number#${parameters.To}` } }),
  );

  const response = new twilio.twiml.VoiceResponse();
  if (!number) {
    response.say({ voice: 'Polly.Joanna-Neural', language: 'en-US' }, 'This number is not in service. Goodbye.');
    response.hangup();
    return spoken(response);
  }
  const action = `${process.env.PUBLIC_BASE_URL}/voice/language`;
  const gather = response.gather({ input: 'dtmf', numDigits: 1, timeout: 8, action, method: 'POST' });
  gather.say({ voice: 'Polly.Joanna-Neural', language: 'en-US' }, 'Welcome to the privacy request line. For English, press 1.');
  gather.say({ voice: 'Polly.Lupe-Neural', language: 'es-US' }, 'Para español, oprima el 2.');
  response.redirect({ method: 'POST' }, action);
  return spoken(response);
}
