// The caller has keyed a service code: whose it is, that business's greeting, and the menu.
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import twilio from 'twilio';
import { parametersOf, refused, spoken, table } from './twilio-webhook.mjs';

const TEN_DAYS = 10 * 24 * 60 * 60;

export async function handler(event) {
  const parameters = parametersOf(event);
  if (!parameters) return refused;
  const voice = { voice: 'Polly.Joanna-Neural', language: 'en-US' };

  const { Item: found } = await table.send(
    new GetCommand({ TableName: process.env.TABLE_DIRECTORY, Key: { pk: `code#${parameters.Digits}` } }),
  );
  const { Item: code } = found
    ? await table.send(
        new GetCommand({ TableName: process.env.TABLE_ACCOUNTS, Key: { pk: found.tenant, sk: `code#${parameters.Digits}` } }),
      )
    : {};

  const response = new twilio.twiml.VoiceResponse();
  if (!code?.active) {
    const action = `${process.env.PUBLIC_BASE_URL}/voice/service-code`;
    const again = response.gather({ input: 'dtmf', finishOnKey: '#', timeout: 8, action, method: 'POST' });
    again.say(voice, 'We do not know that code. Please key it again, then press pound.');
    response.redirect({ method: 'POST' }, action);
    return spoken(response);
  }

  await table.send(
    new PutCommand({
      TableName: process.env.TABLE_DIRECTORY,
      Item: {
        pk: `call#${parameters.CallSid}`,
        tenant: found.tenant,
        code: parameters.Digits,
        expires_at: Math.floor(Date.now() / 1000) + TEN_DAYS,
      },
    }),
  );

  const action = `${process.env.PUBLIC_BASE_URL}/voice/request-kind`;
  const gather = response.gather({ input: 'dtmf', numDigits: 1, timeout: 8, action, method: 'POST' });
  gather.say(voice, code.greeting);
  for (const { key, text } of code.menu) gather.say(voice, `${text}, press ${key}.`);
  response.redirect({ method: 'POST' }, action);
  return spoken(response);
}
